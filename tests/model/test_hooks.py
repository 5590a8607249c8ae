"""Hooks: captures equal TransformerLens's, and nothing of a hook stays behind."""

import threading

import pytest
import torch
from transformer_lens.model_bridge import TransformerBridge
from transformers import AutoModelForCausalLM, AutoTokenizer

from sanilens.errors import ModelError
from sanilens.model.hooks import Hooks, hooked
from sanilens.model.interventions import clamped, one_zeroed_per_row, zeroed
from sanilens.model.subject import SubjectModel
from sanilens.model.units import Neuron

IDS = torch.tensor([[0, 40, 50, 60, 70, 80], [0, 41, 51, 61, 71, 81]])


def captured(subject: SubjectModel) -> list[torch.Tensor]:
    seen: list[torch.Tensor] = []
    hooks = Hooks({mlp.out: seen.append for mlp in subject.sites.mlps})
    with torch.inference_mode(), hooked(subject.model, hooks):
        subject.model(IDS)
    return seen


def test_captures_equal_transformer_lens(any_subject: SubjectModel) -> None:
    own = AutoModelForCausalLM.from_pretrained(
        any_subject.path, dtype=torch.float32, attn_implementation="eager"
    )
    tokenizer = AutoTokenizer.from_pretrained(any_subject.path)
    bridge = TransformerBridge.boot_transformers(
        str(any_subject.path), hf_model=own, tokenizer=tokenizer, device="cpu"
    )
    _, cache = bridge.run_with_cache(IDS)
    for layer, ours in enumerate(captured(any_subject)):
        theirs = cache[f"blocks.{layer}.mlp.hook_post"]
        assert torch.allclose(ours, theirs, atol=2e-5), layer


def test_hooks_are_gone_after_an_error(subject: SubjectModel) -> None:
    def fail(_x: torch.Tensor) -> None:
        raise KeyError("inside")

    before = subject.model(IDS).logits
    with pytest.raises(KeyError), hooked(subject.model, Hooks({subject.sites.mlps[0].out: fail})):
        subject.model(IDS)
    assert torch.equal(subject.model(IDS).logits, before)


def test_a_missing_site_raises(subject: SubjectModel) -> None:
    with (
        pytest.raises(ModelError, match="does not exist"),
        hooked(subject.model, Hooks({"no.such": lambda x: x})),
    ):
        pass


def test_a_hook_that_never_fires_raises(subject: SubjectModel) -> None:
    with (
        pytest.raises(ModelError, match="never fired"),
        hooked(subject.model, Hooks({subject.sites.mlps[0].out: lambda x: x})),
    ):
        pass


def test_a_clamp_equals_its_algebra(any_subject: SubjectModel) -> None:
    """Clamping neuron j moves the MLP's output by (v - a_j) * W_out[:, j]."""
    layer, index, value = 2, 7, 1.25
    path = any_subject.sites.mlps[layer].out
    module = any_subject.model.get_submodule(path)
    seen: dict[str, torch.Tensor] = {}

    def run(hooks: Hooks) -> torch.Tensor:
        handle = module.register_forward_hook(lambda _m, a, o: seen.update(a=a[0], out=o))
        try:
            with torch.inference_mode(), hooked(any_subject.model, hooks):
                any_subject.model(IDS)
        finally:
            handle.remove()
        return seen["out"]

    plain, activation = run(Hooks({path: lambda x: None})), seen["a"]
    weight = module.weight if module.weight.shape[0] == 48 else module.weight.T
    want = plain + (value - activation[..., index, None]) * weight[index]
    got = run(clamped(any_subject, {Neuron(layer, index): value}, {}))
    assert torch.allclose(got, want, atol=1e-5)


def test_each_row_misses_its_own_neuron(subject: SubjectModel) -> None:
    neurons = [Neuron(0, 3), Neuron(2, 5)]
    with torch.inference_mode():
        with hooked(subject.model, one_zeroed_per_row(subject, neurons)):
            together = subject.model(IDS[:1].expand(2, -1)).logits
        for row, neuron in enumerate(neurons):
            with hooked(subject.model, zeroed(subject, [neuron])):
                alone = subject.model(IDS[:1]).logits
            assert torch.allclose(together[row], alone[0], atol=1e-5)


def test_threads_never_see_each_others_hooks(subject: SubjectModel) -> None:
    hooks = zeroed(subject, [Neuron(1, i) for i in range(48)])
    with torch.inference_mode():
        plain = subject.model(IDS).logits
        with hooked(subject.model, hooks):
            edited = subject.model(IDS).logits
    assert not torch.equal(plain, edited)
    wrong: list[str] = []

    def work(mine: Hooks, want: torch.Tensor) -> None:
        for _ in range(20):
            with torch.inference_mode(), hooked(subject.model, mine):
                if not torch.equal(subject.model(IDS).logits, want):
                    wrong.append(threading.current_thread().name)

    threads = [
        threading.Thread(target=work, args=(Hooks(), plain)),
        threading.Thread(target=work, args=(hooks, edited)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
