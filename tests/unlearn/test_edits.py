"""Edits: nothing changes nothing, hook and weights agree, resetting all gives the base."""

from pathlib import Path

import pytest
import torch

from sanilens.errors import PlanError
from sanilens.model.hooks import hooked
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.model.units import Head, Neuron
from sanilens.unlearn.edits import apply_edits_, edit_hooks, is_exact_in_weights
from sanilens.unlearn.plan import UnitEdit, operations_of
from tests.conftest import ARCHITECTURES, save_tiny

IDS = torch.tensor([[0, 40, 50, 60, 70, 80], [0, 41, 51, 61, 71, 81]])


def logits(model: LanguageModel) -> torch.Tensor:
    with torch.inference_mode():
        return model.module(IDS).logits


def edit(operation: str, unit: str = "mlp.1.5") -> UnitEdit:
    value = 0.7 if operation in ("mean", "clamp", "cap") else None
    return UnitEdit.model_validate({"unit": unit, "operation": operation, "value": value})


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Other weights of the same shapes."""
    root = tmp_path_factory.mktemp("bases")
    return {name: save_tiny(root / name, name, seed=1) for name in ARCHITECTURES}


@pytest.fixture
def base(any_model: LanguageModel, bases: dict[str, Path]) -> LanguageModel:
    return load_model(bases[any_model.path.name], device="cpu")


def test_an_empty_plan_leaves_logits_bit_identical(any_model: LanguageModel) -> None:
    before = logits(any_model)
    copied = any_model.copied()
    assert apply_edits_(copied, ()) == ()
    assert torch.equal(logits(copied), before)
    with hooked(any_model.module, edit_hooks(any_model, ())):
        assert torch.equal(logits(any_model), before)


NEURONS = ("mlp.0.3", "mlp.1.5", "mlp.1.47", "mlp.2.0")
HEADS = ("head.0.2", "head.1.0", "head.1.1", "head.2.3")


@pytest.mark.parametrize(
    ("units", "operation"),
    [(NEURONS, o) for o in operations_of(Neuron(0, 0)) if o != "rewrite"]
    + [(HEADS, o) for o in operations_of(Head(0, 0)) if o != "rewrite"],
)
def test_hook_and_weights_agree(
    any_model: LanguageModel, base: LanguageModel, units: tuple[str, ...], operation: str
) -> None:
    edits = tuple(edit(operation, unit) for unit in units)
    with hooked(any_model.module, edit_hooks(any_model, edits, base)):
        hooked_logits = logits(any_model)
    copied = any_model.copied()
    left = apply_edits_(copied, edits, base)
    assert left == tuple(e for e in edits if not is_exact_in_weights(any_model, e))
    with hooked(copied.module, edit_hooks(copied, left, base)):
        assert torch.allclose(logits(copied), hooked_logits, atol=1e-5)
    if operation != "cap":  # a cap that no activation reaches changes nothing, rightly
        assert not torch.allclose(hooked_logits, logits(any_model), atol=1e-4)


def test_units_to_be_rewritten_are_left_to_the_rewriting(any_model: LanguageModel) -> None:
    """What they will be is solved later (unlearn/rewriting.py), and then lies in the weights."""
    edits = [edit("rewrite", unit) for unit in (*NEURONS, *HEADS)]
    copied, before = any_model.copied(), logits(any_model)
    assert apply_edits_(copied, edits) == ()
    assert torch.equal(logits(copied), before)
    with hooked(any_model.module, edit_hooks(any_model, edits)):
        assert torch.equal(logits(any_model), before)


@pytest.mark.parametrize("operation", ["zero", "mean", "clamp", "cap", "reset"])
def test_which_edits_live_in_the_weights(any_model: LanguageModel, operation: str) -> None:
    has_bias = any_model.path.name in ("gpt2", "gpt_neox")
    want = {"zero": True, "reset": True, "cap": False}.get(operation, has_bias)
    assert is_exact_in_weights(any_model, edit(operation)) == want


def test_a_reset_without_base_is_the_same_as_hook_and_in_the_weights(
    any_model: LanguageModel,
) -> None:
    edits = (edit("reset"), edit("reset", "mlp.0.1"))
    with hooked(any_model.module, edit_hooks(any_model, edits, seed=3)):
        hooked_logits = logits(any_model)
    copied = any_model.copied()
    apply_edits_(copied, edits, seed=3)
    assert torch.allclose(logits(copied), hooked_logits, atol=1e-5)
    other = any_model.copied()
    apply_edits_(other, edits, seed=4)
    assert not torch.allclose(logits(other), hooked_logits, atol=1e-4)


def test_resetting_every_neuron_gives_the_base_mlps(
    any_model: LanguageModel, base: LanguageModel
) -> None:
    """With the rest of the weights the base's too, the model is the base, bit for bit."""
    mixed = base.copied()
    for layer, mlp in enumerate(any_model.sites.mlps):
        for path in (*mlp.reads, mlp.out):
            own = any_model.module.get_submodule(path)
            target = mixed.module.get_submodule(path)
            parameters = dict(own.named_parameters())
            for name in ("weight",) if path == mlp.out else ("weight", "bias"):
                if name in parameters:
                    target.get_parameter(name).data.copy_(parameters[name])
        assert layer < 3
    assert not torch.equal(logits(mixed), logits(base))
    everything = [edit("reset", f"mlp.{i}.{j}") for i in range(3) for j in range(48)]
    apply_edits_(mixed, everything, base)
    assert torch.equal(logits(mixed), logits(base))


def test_resetting_every_head_gives_the_base_attention(
    any_model: LanguageModel, base: LanguageModel
) -> None:
    """What is no head's own, the output bias and the norms of queries and keys, put back first."""
    copied = any_model.copied()
    heads = {f"{path}." for site in copied.sites.attentions for path in (*site.reads, site.out)}
    weights = dict(base.module.named_parameters())
    for name, parameter in copied.module.named_parameters():
        own = any(name.startswith(path) for path in heads)
        if not own or any(name == f"{site.out}.bias" for site in copied.sites.attentions):
            parameter.data.copy_(weights[name])
    assert not torch.equal(logits(copied), logits(base))
    apply_edits_(copied, [edit("reset", f"head.{i}.{j}") for i in range(3) for j in range(4)], base)
    assert torch.equal(logits(copied), logits(base))


def test_a_unit_that_is_not_there_is_named(model: LanguageModel) -> None:
    for unit in ("mlp.3.0", "mlp.0.48", "head.0.4", "head.3.0"):
        with pytest.raises(PlanError, match=f"unit {unit} does not exist"):
            edit_hooks(model, [edit("zero", unit)])


def test_a_base_of_another_shape_is_refused(
    model: LanguageModel, tmp_path: Path, bases: dict[str, Path]
) -> None:
    import transformers

    from tests.conftest import make_tokenizer, tiny_config

    config = tiny_config("gpt_neox")
    config.intermediate_size = 64
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    make_tokenizer().save_pretrained(tmp_path)
    with pytest.raises(PlanError, match="differ in shape"):
        edit_hooks(model, [edit("reset")], load_model(tmp_path))
