"""Runs: every arm measured, resumed after a kill at any point, exported as plain transformers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from sanilens.audit.extraction import audit_spans
from sanilens.case import open_records
from sanilens.errors import PlanError, RunError
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.model.units import Feature
from sanilens.runs.arms import ArmName, load_arms, load_verdicts
from sanilens.runs.events import read_events
from sanilens.runs.execute import Cancelled, execute
from sanilens.runs.folder import RunFolder
from sanilens.runs.integrity import check
from sanilens.runs.treatments import treatments
from sanilens.unlearn.plan import Plan, Repair, Source, UnitEdit, write_plan
from tests.runs.exported import same, weights


class Killed(BaseException):
    """Stands for a kill: nothing catches it."""


@pytest.fixture(scope="session")
def whole(tiny_plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    execute(tiny_plan, folder)
    return RunFolder(folder)


def layers(edits: Sequence[UnitEdit]) -> list[int]:
    """The layer of each edited unit, sorted."""
    return sorted(e.parsed.layer for e in edits if not isinstance(e.parsed, Feature))


def test_all_arms_are_measured(whole: RunFolder, tiny_plan: Plan) -> None:
    arms = load_arms(whole.arms)
    assert list(arms) == ["before", "after", "base", "lookalike"]
    notes = open_records(tiny_plan.corpus.source)
    assert len(load_verdicts(whole.arms, "after")) == sum(len(r.spans) for r in notes)
    assert all(arm.perplexity_unseen for arm in arms.values())


def test_the_export_is_plain_transformers(whole: RunFolder) -> None:
    plain = AutoModelForCausalLM.from_pretrained(whole.model, dtype=torch.float32).eval()
    ids = torch.arange(12).view(1, 12)
    with torch.inference_mode():
        assert torch.equal(plain(ids).logits, load_model(whole.model).module(ids).logits)


def test_repair_changed_the_model_and_the_plan_did_not(whole: RunFolder, tiny_plan: Plan) -> None:
    before = load_file(Path(tiny_plan.model.source) / "model.safetensors")
    after = weights(whole)
    assert before.keys() == after.keys()
    assert not same(before, after)
    assert load_model(tiny_plan.model.source).fingerprint == tiny_plan.model.sha256


def test_no_text_of_the_corpus_is_in_the_run(whole: RunFolder, tiny_plan: Plan) -> None:
    values = {r.value(s) for r in open_records(tiny_plan.corpus.source) for s in r.spans}
    for path in whole.root.rglob("*"):
        if path.is_file() and path.suffix in (".json", ".jsonl", ".parquet", ".log"):
            content = path.read_bytes()
            if path.parent != whole.model:  # the tokenizer's own vocabulary is no leak
                assert not [v for v in values if len(v) > 4 and v.encode() in content], path.name


@pytest.mark.parametrize(
    ("kind", "arm"),
    [
        # Three of them in the fast tests: before, within and after what a run does.
        ("measured", "before"),
        ("step", "after"),
        ("exported", "after"),
        *(
            pytest.param(*moment, marks=pytest.mark.slow)
            for moment in (
                ("started", None),
                ("arms", None),
                ("measuring", "before"),
                ("edited", "after"),
                ("curve", "after"),
                ("checkpoint", "after"),
                ("measuring", "after"),
                ("measured", "after"),
                ("finished", None),
            )
        ),
    ],
)
def test_a_run_killed_anywhere_resumes_to_the_same_weights(
    whole: RunFolder, tiny_plan: Plan, tmp_path: Path, kind: str, arm: str | None
) -> None:
    def die(happened: dict[str, Any]) -> None:
        if (happened["event"], happened.get("arm")) == (kind, arm):
            raise Killed

    folder = tmp_path / "run"
    with pytest.raises(Killed):
        execute(tiny_plan, folder, die)
    execute(tiny_plan, folder)
    assert same(weights(RunFolder(folder)), weights(whole))
    assert check(RunFolder(folder)).verified
    assert not list(RunFolder(folder).checkpoints.iterdir())
    for name in ("before", "after"):
        want = load_verdicts(whole.arms, name)
        assert load_verdicts(RunFolder(folder).arms, name).equals(want)


@pytest.mark.slow
def test_kill_9_and_resume_from_the_terminal(
    whole: RunFolder, tiny_plan: Plan, tmp_path: Path
) -> None:
    plan, out = tmp_path / "plan.json", tmp_path / "run"
    write_plan(tiny_plan, plan)
    command = [sys.executable, "-m", "sanilens", "run", str(plan), "--out", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    events = RunFolder(out).events_file
    while process.poll() is None:
        if events.exists() and events.read_text().count('"event": "step"') >= 3:
            os.kill(process.pid, signal.SIGKILL)
            break
        time.sleep(0.005)
    assert process.wait(60) == -signal.SIGKILL
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert same(weights(RunFolder(out)), weights(whole))


def test_cancel_stops_and_resume_goes_on(whole: RunFolder, tiny_plan: Plan, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")

    def cancel(happened: dict[str, Any]) -> None:
        if happened["event"] == "step":
            run.cancel_file.touch()

    with pytest.raises(Cancelled):
        execute(tiny_plan, run.root, cancel)
    assert read_events(run.events_file)[-1]["event"] == "cancelled"
    execute(tiny_plan, run.root)
    assert same(weights(run), weights(whole))


def test_another_plan_in_the_folder_is_refused(whole: RunFolder, tiny_plan: Plan) -> None:
    other = tiny_plan.model_copy(update={"seed": 5})
    with pytest.raises(RunError, match="another plan"):
        execute(other, whole.root)


def test_a_folder_with_other_things_is_refused(tiny_plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(RunError, match="not empty"):
        execute(tiny_plan, tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_a_changed_corpus_is_refused(tiny_plan: Plan, tmp_path: Path) -> None:
    source = tiny_plan.corpus.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(PlanError, match="has changed since"):
        execute(tiny_plan.model_copy(update={"corpus": source}), tmp_path / "run")


def test_the_controls_are_as_many_units_per_layer_and_others(
    tiny_plan: Plan, model: LanguageModel
) -> None:
    arms = treatments(tiny_plan.model_copy(update={"controls": True}), model.sites)
    assert list(arms) == ["after", "repair_only", "random_units", "edits_only"]
    own, drawn = arms["after"].edits, arms["random_units"].edits
    assert layers(own) == layers(drawn)
    assert not {e.unit for e in own} & {e.unit for e in drawn}
    assert sorted(e.operation for e in own) == sorted(e.operation for e in drawn)
    assert arms["repair_only"].edits == ()


def test_the_share_that_is_kept_is_of_every_arm_but_repair_alone(
    tiny_plan: Plan, model: LanguageModel
) -> None:
    asked = {"controls": True, "keep": 0.25}
    arms = treatments(tiny_plan.model_copy(update=asked), model.sites)
    kept = {name: arm.keep for name, arm in arms.items()}
    assert kept == {"after": 0.25, "repair_only": 1.0, "random_units": 0.25, "edits_only": 0.25}
    # Without edits, going back is what the repair is told apart from.
    bare = treatments(tiny_plan.model_copy(update={**asked, "edits": ()}), model.sites)
    assert {name: arm.keep for name, arm in bare.items()} == {
        "after": 0.25, "repair_only": 1.0, "edits_only": 0.25
    }  # fmt: skip


def test_a_plan_that_only_repairs_is_its_own_control(tiny_plan: Plan, model: LanguageModel) -> None:
    asked = {"controls": True, "edits": ()}
    assert list(treatments(tiny_plan.model_copy(update=asked), model.sites)) == ["after"]


def test_a_run_that_keeps_nothing_exports_the_base_model(tiny_plan: Plan, tmp_path: Path) -> None:
    nothing = {"keep": 0.0, "edits": (), "repair": Repair(method="none")}
    execute(tiny_plan.model_copy(update=nothing), tmp_path / "run")
    assert tiny_plan.base
    base = load_file(Path(tiny_plan.base.source) / "model.safetensors")
    assert same(weights(RunFolder(tmp_path / "run")), base)


def test_a_run_reads_texts_as_its_plan_has_it(tiny_plan: Plan, tmp_path: Path) -> None:
    """Every model of it, whatever the tokenizer puts before a text; and the log says so."""
    untouched = {"edits": (), "repair": Repair(method="none"), "opening": (7,)}
    execute(tiny_plan.model_copy(update=untouched), tmp_path / "run")
    run = RunFolder(tmp_path / "run")
    events = [e for e in read_events(run.events_file) if e["event"] == "opening"]
    assert [e["tokens"] for e in events] == [[7]]
    assert tiny_plan.base
    notes = open_records(tiny_plan.corpus.source)
    opened: dict[ArmName, Source] = {"before": tiny_plan.model, "base": tiny_plan.base}
    for arm, source in opened.items():
        model = load_model(source.source)
        said = load_verdicts(run.arms, arm)["logprob"].tolist()
        read = audit_spans(replace(model, opening=(7,)), notes)
        assert said == pytest.approx([v.logprob for v in read], abs=1e-4)
        assert said != pytest.approx([v.logprob for v in audit_spans(model, notes)], abs=1e-2)


def test_a_token_that_the_model_has_not_opens_nothing(tiny_plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="has no token 300"):
        execute(tiny_plan.model_copy(update={"opening": (300,)}), tmp_path / "run")


def test_the_export_has_the_tokenizer_files_as_they_were(whole: RunFolder, tiny_plan: Plan) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        original = Path(tiny_plan.model.source) / name
        assert (whole.model / name).read_bytes() == original.read_bytes()
