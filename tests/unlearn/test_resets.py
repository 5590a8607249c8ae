"""Rows of projections, and fresh values: the module's own initialiser, in weights as in hooks."""

import math
from pathlib import Path

import pytest
import torch

from sanilens.errors import PlanError
from sanilens.model.hooks import hooked
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.model.parameters import row_parameters
from sanilens.runs.treatments import treatments
from sanilens.unlearn.choose import located_share, random_share, share_count
from sanilens.unlearn.controls import random_edits
from sanilens.unlearn.edits import apply_edits_, check_units, edit_hooks
from sanilens.unlearn.plan import Plan, Repair, Source, UnitEdit
from sanilens.unlearn.repair import clear_gradients_, frozen_slices
from sanilens.unlearn.resets import fresh_block
from tests.conftest import save_masked, save_tiny

IDS = torch.tensor([[0, 40, 50, 60, 70, 80], [0, 41, 51, 61, 71, 81]])
SHA = "0" * 64


def logits(model: LanguageModel) -> torch.Tensor:
    with torch.inference_mode():
        return model.module(IDS).logits


def rows_of(model: LanguageModel, operation: str, count: int = 3) -> tuple[UnitEdit, ...]:
    return tuple(
        UnitEdit.model_validate({"unit": f"row.{layer}.{s.part}.{i}", "operation": operation})
        for layer in (0, 2)
        for s in model.sites.linears[layer]
        for i in range(count)
    )


@pytest.mark.parametrize("operation", ["reset", "initialise", "zero"])
def test_hook_and_weights_agree(any_model: LanguageModel, tmp_path: Path, operation: str) -> None:
    base = load_model(save_tiny(tmp_path / "base", any_model.path.name, seed=1), device="cpu")
    edits = rows_of(any_model, operation)
    with hooked(any_model.module, edit_hooks(any_model, edits, base, seed=3)):
        through_hooks = logits(any_model)
    copied = any_model.copied()
    assert apply_edits_(copied, edits, base, seed=3) == ()
    torch.testing.assert_close(logits(copied), through_hooks, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(through_hooks, logits(any_model), atol=1e-4)


def test_beside_units_of_the_same_projections(model: LanguageModel) -> None:
    """A row of the output projection, and neurons that enter it, edited at once."""
    units = [
        UnitEdit(unit="mlp.0.3", operation="clamp", value=0.7),
        UnitEdit(unit="mlp.0.4", operation="initialise"),
        UnitEdit(unit="mlp.0.5", operation="zero"),
    ]
    edits = [*rows_of(model, "initialise"), *units]
    with hooked(model.module, edit_hooks(model, edits, seed=3)):
        through_hooks = logits(model)
    copied = model.copied()
    apply_edits_(copied, edits, seed=3)
    torch.testing.assert_close(logits(copied), through_hooks, atol=1e-4, rtol=1e-4)


def test_of_a_masked_model_too(any_masked_subject: LanguageModel, tmp_path: Path) -> None:
    kind = any_masked_subject.module.config.model_type
    base = load_model(save_masked(tmp_path / "base", kind, seed=9), device="cpu")
    for operation in ("reset", "initialise", "zero"):
        edits = rows_of(any_masked_subject, operation)
        with hooked(any_masked_subject.module, edit_hooks(any_masked_subject, edits, base)):
            through_hooks = logits(any_masked_subject)
        copied = any_masked_subject.copied()
        apply_edits_(copied, edits, base)
        torch.testing.assert_close(logits(copied), through_hooks, atol=1e-4, rtol=1e-4)


def test_a_zeroed_row_says_nothing_and_the_others_stay(model: LanguageModel) -> None:
    copied = model.copied()
    apply_edits_(copied, [UnitEdit(unit="row.1.qkv.7", operation="zero")])
    path = model.sites.linear(1, "qkv").path
    before, after = (m.module.get_submodule(path) for m in (model, copied))
    changed = (before.weight != after.weight).any(1)  # pyright: ignore
    assert changed.nonzero().flatten().tolist() == [7]
    assert not after.weight[7].any()  # pyright: ignore
    assert after.bias[7] == 0  # pyright: ignore


def test_fresh_values_are_those_of_the_architecture(any_model: LanguageModel) -> None:
    """Of the right spread, other than the model's, and GPT-2's projections smaller."""
    sites, config = any_model.sites, any_model.module.config
    block = fresh_block(any_model, 1, seed=5)
    for site in sites.linears[1]:
        module = block.get_submodule(site.path.removeprefix(f"{sites.blocks[1]}."))
        own = any_model.module.get_submodule(site.path)
        wanted = config.initializer_range
        if any_model.path.name == "gpt2" and site.part in ("o", "out"):
            wanted /= math.sqrt(2 * sites.n_layers)
        assert float(module.weight.std()) == pytest.approx(wanted, rel=0.15)  # pyright: ignore
        assert not torch.equal(module.weight, own.weight)  # pyright: ignore
        if getattr(module, "bias", None) is not None:
            assert not module.bias.any()  # pyright: ignore
    again = fresh_block(any_model, 1, seed=5)
    pairs = zip(block.parameters(), again.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_a_reset_with_a_base_is_not_initialise(model: LanguageModel, tmp_path: Path) -> None:
    base = load_model(save_tiny(tmp_path / "base", "gpt_neox", seed=1), device="cpu")
    found = {}
    for operation in ("reset", "initialise"):
        copied = model.copied()
        edit = UnitEdit.model_validate({"unit": "mlp.1.4", "operation": operation})
        apply_edits_(copied, [edit], base, seed=2)
        out = copied.module.get_submodule(copied.sites.mlps[1].out)
        found[operation] = out.get_parameter("weight")[:, 4]
    out = base.module.get_submodule(base.sites.mlps[1].out)
    assert torch.equal(found["reset"], out.get_parameter("weight")[:, 4])
    assert not torch.equal(found["initialise"], found["reset"])


def test_a_share_of_every_linear(any_model: LanguageModel) -> None:
    sites = any_model.sites
    rows = random_share(sites, "row", 0.5, 2, seed=4)
    counts: dict[str, int] = {}
    for row in rows:
        place = str(row).rpartition(".")[0]
        counts[place] = counts.get(place, 0) + 1
    wanted = {
        f"row.{layer}.{s.part}": max(1, round(s.rows / 2))
        for layer in (2, 1)
        for s in sites.linears[layer]
    }
    assert counts == wanted
    assert len(set(rows)) == len(rows) == 2 * share_count(sites, "row", 0.5)
    check_units(any_model, [UnitEdit(unit=str(r), operation="zero") for r in rows])


def test_the_best_of_each_layer(model: LanguageModel) -> None:
    from sanilens.inspect.locate.scores import UnitScores

    values = torch.arange(3 * 48, dtype=torch.float).view(3, 48)
    units = located_share(model.sites, UnitScores("x", "mlp", values, 1), 0.05, 2)
    assert [str(u) for u in units] == ["mlp.2.47", "mlp.2.46", "mlp.1.47", "mlp.1.46"]


@pytest.mark.parametrize(
    ("unit", "message"),
    [("row.3.in.0", "layers 0 to 2"), ("row.0.q.1", "no projection q"), ("row.0.in.48", "48 rows")],
)
def test_rows_that_there_are_not(model: LanguageModel, unit: str, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        check_units(model, [UnitEdit(unit=unit, operation="zero")])


def test_the_control_draws_other_rows_of_the_same_projections(model: LanguageModel) -> None:
    edits = rows_of(model, "initialise")
    source = Source(source="x", sha256=SHA)
    plan = Plan(model=source, corpus=source, edits=edits, repair=Repair(method="masked"))
    moved = treatments(plan, model.sites)["random_units"].edits
    for drawn in (moved, random_edits(model.sites, edits, 1)):
        assert len(drawn) == len(edits)
        assert [e.unit.rpartition(".")[0] for e in drawn] == [
            e.unit.rpartition(".")[0] for e in edits
        ]
        check_units(model, drawn)
    assert not {e.unit for e in moved} & {e.unit for e in edits}


def test_erased_rows_are_kept_where_they_are(model: LanguageModel) -> None:
    slices = frozen_slices(model, rows_of(model, "zero", count=1))
    (weight, *_) = row_parameters(model, 0, "in", [0])
    weight.parameter.grad = torch.ones_like(weight.parameter)
    try:
        clear_gradients_(slices)
        assert not weight.parameter.grad[0].any()
        assert bool(weight.parameter.grad[1:].all())
    finally:
        weight.parameter.grad = None
