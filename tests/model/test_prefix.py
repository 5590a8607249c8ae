"""A model whose first layers are remembered computes what it computed, and computes it once."""

import torch

from sanilens.model.forward import remembering
from sanilens.model.hooks import Hooks, hooked
from sanilens.model.language_model import LanguageModel

IDS = torch.tensor([[0, 40, 50, 60, 70, 80], [0, 41, 51, 61, 71, 81]])


def test_it_is_the_same_model(any_model: LanguageModel) -> None:
    quick = remembering(any_model, 2)
    with torch.inference_mode():
        for ids in (IDS, IDS.flip(1), IDS):
            assert torch.equal(quick.module(ids).logits, any_model.module(ids).logits)


def test_a_batch_runs_through_the_first_layers_once(any_model: LanguageModel) -> None:
    quick, runs = remembering(any_model, 1), []
    first, second = (any_model.sites.mlps[layer].out for layer in (0, 1))

    def count(path: str):
        return quick.module.get_submodule(path).register_forward_hook(lambda *_: runs.append(path))

    handles = [count(first), count(second)]
    with torch.inference_mode():
        quick.module(IDS)
        quick.module(IDS)
    assert runs.count(first) == 1
    assert runs.count(second) == 2
    for handle in handles:
        handle.remove()


def test_gradients_reach_what_comes_after_an_inference(any_model: LanguageModel) -> None:
    """What inference mode remembered must not stop a later backward pass."""
    quick = remembering(any_model, 1)
    with torch.inference_mode():
        quick.module(IDS)
    found: list[torch.Tensor] = []

    def leaf(_x: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        found.append(output.detach().requires_grad_())
        return found[-1]

    slopes = []
    for model in (quick, any_model):
        path = model.sites.mlps[1].out
        with torch.enable_grad(), hooked(model.module, Hooks(outputs={path: leaf})):
            loss = model.module(IDS).logits.square().sum()
        slopes += torch.autograd.grad(loss, [found[-1]])
    assert torch.allclose(slopes[0], slopes[1])
