"""Deleted codes are edits like others: in the plan's file, under hooks, in a run, with controls."""

from pathlib import Path

import pytest
import torch
import typer
from pydantic import ValidationError

from sanilens.case import dictionary_source, open_model, open_planned
from sanilens.cli.plan import plan
from sanilens.dictionaries.codebook.bottleneck import WAYS, bottleneck, no_deletion
from sanilens.errors import PlanError
from sanilens.model.hooks import NO_HOOKS, Hooks, hooked
from sanilens.model.language_model import LanguageModel
from sanilens.runs.arms import load_arms, load_verdicts
from sanilens.runs.execute import execute
from sanilens.runs.folder import RunFolder
from sanilens.runs.treatments import treatments
from sanilens.unlearn.controls import random_edits
from sanilens.unlearn.edits import apply_edits_, edit_hooks, is_exact_in_weights
from sanilens.unlearn.plan import Plan, Repair, UnitEdit, read_plan, write_plan
from tests.noise_codebook import SIZE, saved

IDS = torch.tensor([[0, 40, 50, 60, 70, 80], [0, 41, 51, 61, 71, 81]])


def deleted(*codes: int, by: str = "refill") -> tuple[UnitEdit, ...]:
    return tuple(
        UnitEdit.model_validate({"unit": f"code.tiny.{code}", "operation": by}) for code in codes
    )


def logits(model: LanguageModel, hooks: Hooks = NO_HOOKS) -> torch.Tensor:
    with torch.inference_mode(), hooked(model.module, hooks):
        return model.module(IDS).logits


def test_each_way_is_the_bottlenecks_and_leaves_the_weights(
    model: LanguageModel, tmp_path: Path
) -> None:
    codebook = saved(model, tmp_path / "book")
    saes, codes, before = {"tiny": codebook}, (3, 5, 8, 13), logits(model)
    for way in WAYS:
        edits = deleted(*codes, by=way)
        found = logits(model, edit_hooks(model, edits, saes=saes))
        assert torch.equal(found, logits(model, bottleneck(model, codebook, codes, way)))
        assert not torch.equal(found, before)
        copied = model.copied()
        assert apply_edits_(copied, edits, saes=saes) == edits
        assert not any(is_exact_in_weights(model, edit) for edit in edits)
        assert torch.equal(logits(copied), before)


def test_what_a_codebook_does_not_have_is_refused(model: LanguageModel, tmp_path: Path) -> None:
    saes = {"tiny": saved(model, tmp_path / "book")}
    with pytest.raises(PlanError, match=r"code.tiny.24 does not exist: it has 24 codes"):
        edit_hooks(model, deleted(SIZE), saes=saes)
    with pytest.raises(PlanError, match="leaves fewer than the 4"):
        edit_hooks(model, deleted(*range(21)), saes=saes)
    feature = (UnitEdit(unit="sae.tiny.1", operation="zero"),)
    with pytest.raises(PlanError, match="an autoencoder has features, a codebook codes"):
        edit_hooks(model, feature, saes=saes)
    with pytest.raises(PlanError, match="is not open"):
        edit_hooks(model, deleted(1))


def test_a_plan_names_its_codebook_and_one_way(tiny_plan: Plan, tmp_path: Path) -> None:
    codebook = saved(open_model(tiny_plan.model.source), tmp_path / "book")
    fields = tiny_plan.model_dump() | {
        "edits": [edit.model_dump() for edit in deleted(1, 2)],
        "saes": {"tiny": dictionary_source(str(codebook.path), codebook).model_dump()},
    }
    named = Plan.model_validate(fields)
    write_plan(named, tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == named
    with pytest.raises(ValidationError, match="saes must name it"):
        Plan.model_validate(fields | {"saes": {}})
    mixed = [edit.model_dump() for edit in (*deleted(1), *deleted(2, by="drop"))]
    with pytest.raises(ValidationError, match="deleted by refill and by drop"):
        Plan.model_validate(fields | {"edits": mixed})
    with pytest.raises(ValidationError, match="cannot be edited by reset"):
        deleted(1, by="reset")


def test_the_command_plans_what_codes_delete_wrote(
    tiny_plan: Plan, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    codebook = saved(open_model(tiny_plan.model.source), tmp_path / "book")
    deletion = no_deletion(codebook, "drop").more([7, 2])
    (tmp_path / "deleted.json").write_text(deletion.model_dump_json())
    words = ["--model", tiny_plan.model.source, "--corpus", tiny_plan.corpus.source]
    words += ["--codes", str(tmp_path / "deleted.json"), "--sae", str(codebook.path)]
    command = typer.main.get_command(planning())
    command([*words, "--repair", "none"], standalone_mode=False)
    made = Plan.model_validate_json(capsys.readouterr().out)
    assert made.edits == deleted(2, 7, by="drop")
    assert made.saes["tiny"].sha256 == codebook.fingerprint
    other = deletion.model_copy(update={"sha256": "0" * 64})
    (tmp_path / "deleted.json").write_text(other.model_dump_json())
    with pytest.raises(PlanError, match="another codebook"):
        command([*words, "--repair", "none"], standalone_mode=False)


def planning() -> typer.Typer:
    app = typer.Typer()
    app.command()(plan)
    return app


def test_a_run_deletes_codes_beside_as_many_others(tiny_plan: Plan, tmp_path: Path) -> None:
    model = open_model(tiny_plan.model.source)
    codebook = saved(model, tmp_path / "book")
    edits = deleted(*range(16))
    plan = tiny_plan.model_copy(
        update={
            "edits": edits,
            "saes": {"tiny": dictionary_source(str(codebook.path), codebook)},
            "repair": Repair(method="none"),
            "controls": True,
        }
    )
    arms = treatments(plan, model.sites, open_planned(plan).dictionaries)
    moved = {edit.unit for edit in arms["random_units"].edits}
    assert moved == {f"code.tiny.{code}" for code in range(16, SIZE)}  # no more are left
    drawn = random_edits(model.sites, edits, 0, {"tiny": codebook})
    assert {edit.parsed.index for edit in drawn} <= set(range(SIZE))
    assert {edit.unit for edit in drawn} == moved
    assert all(edit.unit.startswith("code.tiny.") for edit in drawn)
    execute(plan, tmp_path / "run")
    run = RunFolder(tmp_path / "run")
    done = load_arms(run.arms)
    assert {"before", "after", "random_units"} <= set(done)
    said = {n: load_verdicts(run.arms, n)["logprob"] for n in ("before", "after", "random_units")}
    assert not said["after"].equals(said["before"])
    assert not said["after"].equals(said["random_units"])
