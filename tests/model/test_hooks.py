"""Hooks: captures equal TransformerLens's, and nothing of a hook stays behind."""

import threading
from collections.abc import Callable
from contextlib import nullcontext
from itertools import product

import pytest
import torch
from transformer_lens.model_bridge import TransformerBridge
from transformers import AutoModelForCausalLM, AutoTokenizer

from sanilens.errors import ModelError
from sanilens.model.generation import continue_text
from sanilens.model.hooks import Hooks, hooked
from sanilens.model.interventions import clamped, zeroed, zeroed_per_row
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import Head, Neuron

IDS = torch.tensor([[0, 40, 50, 60, 70, 80], [0, 41, 51, 61, 71, 81]])


def captured(model: LanguageModel) -> list[torch.Tensor]:
    seen: list[torch.Tensor] = []
    hooks = Hooks({mlp.out: seen.append for mlp in model.sites.mlps})
    with torch.inference_mode(), hooked(model.module, hooks):
        model.module(IDS)
    return seen


def test_captures_equal_transformer_lens(any_model: LanguageModel) -> None:
    own = AutoModelForCausalLM.from_pretrained(
        any_model.path, dtype=torch.float32, attn_implementation="eager"
    )
    tokenizer = AutoTokenizer.from_pretrained(any_model.path)
    bridge = TransformerBridge.boot_transformers(
        str(any_model.path), hf_model=own, tokenizer=tokenizer, device="cpu"
    )
    _, cache = bridge.run_with_cache(IDS)
    for layer, ours in enumerate(captured(any_model)):
        theirs = cache[f"blocks.{layer}.mlp.hook_post"]
        assert torch.allclose(ours, theirs, atol=2e-5), layer


def test_hooks_are_gone_after_an_error(model: LanguageModel) -> None:
    def fail(_x: torch.Tensor) -> None:
        raise KeyError("inside")

    before = model.module(IDS).logits
    with pytest.raises(KeyError), hooked(model.module, Hooks({model.sites.mlps[0].out: fail})):
        model.module(IDS)
    assert torch.equal(model.module(IDS).logits, before)


def test_a_missing_site_raises(model: LanguageModel) -> None:
    with (
        pytest.raises(ModelError, match="does not exist"),
        hooked(model.module, Hooks({"no.such": lambda x: x})),
    ):
        pass


def test_a_hook_that_never_fires_raises(model: LanguageModel) -> None:
    with (
        pytest.raises(ModelError, match="never fired"),
        hooked(model.module, Hooks({model.sites.mlps[0].out: lambda x: x})),
    ):
        pass


def test_a_clamp_equals_its_algebra(any_model: LanguageModel) -> None:
    """Clamping neuron j moves the MLP's output by (v - a_j) * W_out[:, j]."""
    layer, index, value = 2, 7, 1.25
    path = any_model.sites.mlps[layer].out
    module = any_model.module.get_submodule(path)
    seen: dict[str, torch.Tensor] = {}

    def watch(_module: torch.nn.Module, given: tuple[torch.Tensor, ...], out: torch.Tensor) -> None:
        seen["a"], seen["out"] = given[0], out

    def run(hooks: Hooks) -> torch.Tensor:
        handle = module.register_forward_hook(watch)
        try:
            with torch.inference_mode(), hooked(any_model.module, hooks):
                any_model.module(IDS)
        finally:
            handle.remove()
        return seen["out"]

    plain, activation = run(Hooks({path: lambda x: None})), seen["a"]
    weight = module.get_parameter("weight")
    weight = weight if weight.shape[0] == 48 else weight.T
    want = plain + (value - activation[..., index, None]) * weight[index]
    got = run(clamped(any_model, {Neuron(layer, index): value}, {}))
    assert torch.allclose(got, want, atol=1e-5)


def test_each_row_misses_its_own_units(model: LanguageModel) -> None:
    sets = [[Neuron(0, 3)], [Neuron(2, 5), Neuron(2, 7), Head(1, 2)], []]
    with torch.inference_mode():
        with hooked(model.module, zeroed_per_row(model, sets)):
            together = model.module(IDS[:1].expand(3, -1)).logits
        for row, units in enumerate(sets):
            with hooked(model.module, zeroed(model, units)):
                alone = model.module(IDS[:1]).logits
            assert torch.allclose(together[row], alone[0], atol=1e-5)


Work = Callable[[LanguageModel, int, Hooks], list[torch.Tensor] | str]
"""Uses the model under hooks of its own (at a layer) and some more; returns what it got."""


def clamping(model: LanguageModel, layer: int, more: Hooks) -> list[torch.Tensor]:
    hooks = zeroed(model, [Neuron(layer, i) for i in range(48)])
    with torch.inference_mode(), hooked(model.module, hooks.then(more)):
        return [model.module(IDS).logits]


def capturing(model: LanguageModel, layer: int, more: Hooks) -> list[torch.Tensor]:
    seen: list[torch.Tensor] = []
    captures = Hooks({mlp.out: seen.append for mlp in model.sites.mlps})
    with torch.inference_mode(), hooked(model.module, captures.then(more)):
        model.module(IDS)
    return seen


def writing(model: LanguageModel, layer: int, more: Hooks) -> str:
    hooks = zeroed(model, [Neuron(layer, i) for i in range(48)])
    return continue_text(model, "Follow-up by phone: the number is", 6, hooks=hooks.then(more))


def meet(
    model: LanguageModel, first: Work, second: Work, patience: float
) -> tuple[list[torch.Tensor] | str, list[torch.Tensor] | str, bool]:
    """What two threads get of which the first stands still in the middle of a forward pass.

    The second begins then, and has `patience` seconds; third, whether it was done by then.
    """
    inside, done = threading.Event(), threading.Event()
    between: list[bool] = []
    found: dict[str, list[torch.Tensor] | str] = {}

    def stand_still(_x: torch.Tensor) -> None:
        if threading.current_thread() is threads[0] and not inside.is_set():
            inside.set()
            between.append(done.wait(patience))

    def run_first() -> None:
        found["first"] = first(model, 0, Hooks({model.sites.mlps[1].out: stand_still}))

    def run_second() -> None:
        assert inside.wait(60)
        found["second"] = second(model, 2, Hooks())
        done.set()

    threads = [threading.Thread(target=run) for run in (run_first, run_second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found["first"], found["second"], between == [True]


def same(one: list[torch.Tensor] | str, other: list[torch.Tensor] | str) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return len(one) == len(other) and all(map(torch.equal, one, other))


KINDS = (clamping, capturing, writing)
both = pytest.mark.parametrize(("first", "second"), list(product(KINDS, KINDS)))


@both
def test_threads_never_see_each_others_hooks(
    model: LanguageModel, first: Work, second: Work
) -> None:
    one, other, overlapped = meet(model, first, second, patience=0.2)
    assert not overlapped
    assert same(one, first(model, 0, Hooks()))
    assert same(other, second(model, 2, Hooks()))


@both
def test_without_the_lock_they_would(
    model: LanguageModel, first: Work, second: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail: the threads do meet in the middle of a forward pass."""
    with monkeypatch.context() as patched:
        patched.setattr("sanilens.model.hooks.model_lock", lambda _model: nullcontext())
        one, other, overlapped = meet(model, first, second, patience=60)
    assert overlapped
    right = same(one, first(model, 0, Hooks())), same(other, second(model, 2, Hooks()))
    assert right != (True, True)


def test_threads_that_race_get_what_is_theirs(model: LanguageModel) -> None:
    wanted = [(work, layer, work(model, layer, Hooks())) for work in KINDS for layer in (0, 2)]
    start = threading.Barrier(len(wanted), timeout=60)
    wrong: list[str] = []

    def race(work: Work, layer: int, want: list[torch.Tensor] | str) -> None:
        start.wait()
        for _ in range(8):
            if not same(work(model, layer, Hooks()), want):
                wrong.append(f"{work.__name__} at {layer}")

    threads = [threading.Thread(target=race, args=each) for each in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
