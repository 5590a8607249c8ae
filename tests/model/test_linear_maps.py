"""What flows through linear maps: its products are the gradients that autograd gives parameters."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers.pytorch_utils import Conv1D

from research.zoo import CAUSAL
from sanilens.model.forward import logits_at
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.language_model import LanguageModel
from sanilens.model.linear_maps import add_, flows, has_bias, linear_paths, shape_of
from tests.conftest import fast_first
from tests.operations import load_case

# Two texts, the second padded, and places in them.
IDS = torch.tensor([[1, 40, 50, 60, 70, 80], [1, 41, 51, 61, 0, 0]])
HERE = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]])
ROWS, COLUMNS = torch.tensor([0, 0, 1, 1]), torch.tensor([1, 4, 0, 2])
WEIGHTS = torch.tensor([1.0, -0.5, 2.0, 0.3])


def said(model: LanguageModel, hooks: Hooks = NO_HOOKS) -> Tensor:
    """A scalar of what the model says at the places."""
    logprobs = logits_at(model, IDS, ROWS, COLUMNS, hooks).log_softmax(-1)
    return (WEIGHTS * logprobs.gather(1, IDS[ROWS, COLUMNS + 1, None])[:, 0]).sum()


def gradients_of_parameters(model: LanguageModel) -> dict[str, Tensor]:
    """Of every map as a matrix, by autograd on a copy whose parameters ask for gradients."""
    copied = model.copied()
    copied.module.requires_grad_(True)
    said(copied).backward()
    found: dict[str, Tensor] = {}
    for path in linear_paths(copied):
        module = copied.module.get_submodule(path)
        own = module.get_parameter("weight").grad
        assert own is not None
        own = own.T if isinstance(module, Conv1D) else own
        if has_bias(module):
            bias = module.get_parameter("bias").grad
            assert bias is not None
            own = torch.cat([own, bias[:, None]], dim=1)
        found[path] = own
    return found


# OPT joins the tokens of a batch, Falcon adds in place to what an MLP gives, Bloom fuses by head.
@pytest.mark.parametrize(
    "name", fast_first(list(CAUSAL), ("gpt2", "llama", "opt", "falcon", "bloom", "gemma2"))
)
def test_weight_gradients_are_autograds_and_the_model_stays(name: str, tmp_path: Path) -> None:
    model = load_case(name, tmp_path).model
    before = {key: value.clone() for key, value in model.module.state_dict().items()}
    expected = gradients_of_parameters(model)
    paths = linear_paths(model)
    found = dict(flows(model, paths, lambda hooks: said(model, hooks), HERE))
    assert list(found) == paths
    for path, flow in found.items():
        assert flow.inputs.shape[0] == HERE.sum() == flow.gradients.shape[0]
        assert flow.weight_gradient.shape == shape_of(model.module.get_submodule(path))
        off = 1e-4 * max(1e-3, float(expected[path].abs().max()))
        torch.testing.assert_close(flow.weight_gradient, expected[path], rtol=1e-3, atol=off)
    assert all(torch.equal(before[key], own) for key, own in model.module.state_dict().items())
    assert all(own.grad is None for own in model.module.parameters())
    assert not any(own.requires_grad for own in model.module.parameters())


def test_some_layers_alone_flow_alike(any_model: LanguageModel) -> None:
    """Earlier layers are then left out of the graph, not out of the answer."""
    every = dict(flows(any_model, linear_paths(any_model), lambda h: said(any_model, h), HERE))
    last = linear_paths(any_model, [2])
    assert 0 < len(last) < len(every)
    for path, flow in flows(any_model, last, lambda h: said(any_model, h), HERE):
        torch.testing.assert_close(flow.weight_gradient, every[path].weight_gradient)


def test_a_change_is_added_as_the_map_computes_it(any_model: LanguageModel) -> None:
    """y = [W b] [a; 1]: the change of y is the change of the matrix times what enters."""
    copied = any_model.copied()
    for path in linear_paths(copied, [0]):
        module = copied.module.get_submodule(path)
        rows, columns = shape_of(module)
        generator = torch.Generator().manual_seed(0)
        change = torch.randn(rows, columns, generator=generator)
        a = torch.randn(5, columns - has_bias(module), generator=generator)
        with torch.no_grad():
            before = module(a)
            add_(module, change)
            moved = module(a) - before
        entering = torch.cat([a, torch.ones(5, 1)], dim=1) if has_bias(module) else a
        torch.testing.assert_close(moved, entering @ change.T, rtol=1e-3, atol=1e-3)
