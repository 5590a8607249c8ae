"""Attacks on a run: one file each, resumed where they stopped, checked like other files."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sanilens.audit.attacks import ATTACKS
from sanilens.audit.attacks.attack import Attack
from sanilens.audit.attacks.result import AttackResult, extracted
from sanilens.audit.metrics.metric import Trial
from sanilens.cli.main import cli
from sanilens.errors import IntegrityError, RunError
from sanilens.progress import Progress
from sanilens.runs.attacking import (
    attack_beside,
    attack_run,
    load_attacks,
    of_this_run,
)
from sanilens.runs.execute import execute
from sanilens.runs.folder import RunFolder
from sanilens.runs.integrity import check
from sanilens.runs.jobs import status
from sanilens.runs.log import run_events
from sanilens.runs.repairing import Cancelled
from sanilens.runs.workspace import attacks_folder
from sanilens.unlearn.plan import AuditSettings, Plan


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """Names of the models that a toy attack was tried on, in order; the toy is registered."""
    models: list[str] = []

    def run(trial: Trial, progress: Progress) -> AttackResult:
        progress(1, 1)
        models.append(trial.model.fingerprint)
        # The hooks reach the attack with the model they belong to.
        hooks = len(trial.hooks.inputs) + len(trial.hooks.outputs)
        return AttackResult(figures=extracted(trial.verdicts), settings={"hooks": hooks})

    ATTACKS["toy"] = Attack("toy", "Toy", "Spans extracted.", run)
    yield models
    del ATTACKS["toy"]


@pytest.fixture
def ran(tiny_plan: Plan, tmp_path: Path) -> RunFolder:
    """The tiny plan, executed."""
    run = RunFolder(tmp_path / "run")
    execute(tiny_plan, run.root)
    return run


def test_attacks_are_kept_and_resumed(ran: RunFolder, asked: list[str]) -> None:
    attack_run(ran.root, ["toy"])
    found = load_attacks(ran)["toy"]
    assert set(found.results) == {"after", "before", "base"}  # this plan has no reference
    assert found.results["after"].settings["hooks"] == 1  # the cap lives beside the weights
    assert found.results["before"].settings["hooks"] == 0
    assert len(asked) == 3
    check(ran)
    attack_run(ran.root, ["toy"])
    assert len(asked) == 3, "what was found is not found again"
    assert status(ran, run_events(ran)) == "finished"


def test_a_run_stops_between_models_and_goes_on(ran: RunFolder, asked: list[str]) -> None:
    def stop(event: dict[str, Any]) -> None:
        if event["event"] == "attacked":
            ran.cancel_file.touch()

    with pytest.raises(Cancelled):
        attack_run(ran.root, ["toy"], stop)
    assert set(load_attacks(ran)["toy"].results) == {"after"}
    check(ran)
    attack_run(ran.root, ["toy"])
    assert set(load_attacks(ran)["toy"].results) == {"after", "before", "base"}
    assert len(asked) >= 3
    assert len({*asked}) == 3


@pytest.mark.slow
def test_what_a_run_leaves_as_it_is_is_attacked_once(
    ran: RunFolder, asked: list[str], tmp_path: Path
) -> None:
    attack_run(ran.root, ["toy"])
    first = load_attacks(ran)["toy"]
    other = RunFolder(tmp_path / "other")
    execute(ran.plan().model_copy(update={"edits": (), "controls": False}), other.root)
    asked.clear()
    kept: dict[str, bool] = {}

    def heard(event: dict[str, Any]) -> None:
        if event["event"] == "attacked":
            kept[event["state"]] = event["kept"]

    attack_run(other.root, ["toy"], heard)
    assert kept == {"after": False, "before": True, "base": True}
    assert len(asked) == 1
    found = load_attacks(other)["toy"]
    assert found.results["before"] == first.results["before"]
    check(other)
    for path in attacks_folder().iterdir():
        path.write_bytes(path.read_bytes().replace(b'"hits":', b'"hits":1', 1))
    (other.attacks / "toy.json").unlink()
    attack_run(other.root, ["toy"], heard)
    assert not any(kept.values()), "what is not as it was written is found anew"
    (other.attacks / "toy.json").unlink()
    attack_run(other.root, ["toy"], heard, anew=True)
    assert not any(kept.values())


def test_what_a_second_process_found_is_taken_over(ran: RunFolder, asked: list[str]) -> None:
    whole = {p: p.read_bytes() for p in ran.root.rglob("*") if p.is_file()}
    attack_beside(ran.root, ["toy"])
    assert len(asked) == 2, "before and base, and not the result"
    assert whole == {p: p.read_bytes() for p in ran.root.rglob("*") if p.is_file()}
    order: list[tuple[str, bool]] = []

    def heard(event: dict[str, Any]) -> None:
        if event["event"] == "attacked":
            order.append((event["state"], event["kept"]))

    attack_run(ran.root, ["toy"], heard)
    assert order == [("after", False), ("before", True), ("base", True)]
    ran.cancel_file.touch()
    for path in attacks_folder().iterdir():
        path.unlink()
    with pytest.raises(Cancelled):
        attack_beside(ran.root, ["toy"])


@pytest.mark.slow
def test_two_processes_find_what_one_does(ran: RunFolder, tmp_path: Path) -> None:
    names = ["cue", "change-shape", "quantisation"]
    copy = RunFolder(shutil.copytree(ran.root, tmp_path / "copy"))
    attack_run(ran.root, names, helped=True)
    attack_run(copy.root, names, anew=True)
    check(ran)
    one, other = load_attacks(ran), load_attacks(copy)
    for name in names:
        assert one[name].results.keys() == other[name].results.keys()
        for state, found in one[name].results.items():
            figures = {f.name: f.value for f in other[name].results[state].figures}
            assert {f.name: f.value for f in found.figures} == pytest.approx(figures)


def test_a_changed_file_is_named(ran: RunFolder, asked: list[str]) -> None:
    attack_run(ran.root, ["toy"])
    path = ran.attacks / "toy.json"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match=r"attacks/toy\.json has changed"):
        check(ran)
    with pytest.raises(IntegrityError, match=r"attacks/toy\.json"):
        attack_run(ran.root, ["toy"])
    path.unlink()
    with pytest.raises(IntegrityError, match=r"attacks/toy\.json is missing"):
        check(ran)
    attack_run(ran.root, ["toy"])  # what is missing is made anew
    check(ran)
    (ran.attacks / "invented.json").write_text("{}")
    with pytest.raises(IntegrityError, match="extra"):
        check(ran)


def test_a_plan_may_ask_for_attacks(tiny_plan: Plan, asked: list[str], tmp_path: Path) -> None:
    assert "attacks" not in tiny_plan.canonical()
    fields = json.loads(tiny_plan.model_dump_json())
    assert fields["audit"].pop("attacks") == []
    assert Plan.model_validate(fields).sha256 == tiny_plan.sha256
    with pytest.raises(ValueError, match="no attack is called 'fame'"):
        AuditSettings(attacks=("fame",))
    plan = tiny_plan.model_copy(update={"audit": AuditSettings(attacks=("toy",))})
    assert plan.sha256 != tiny_plan.sha256
    run = RunFolder(tmp_path / "run")
    execute(plan, run.root)
    assert set(load_attacks(run)["toy"].results) == {"after", "before", "base"}
    assert run_events(run)[-1]["event"] == "finished"
    printed = CliRunner().invoke(cli, ["attack", str(run.root), "--attacks", "toy", "--json"])
    assert json.loads(printed.stdout)["toy"]["results"]["after"]["figures"][0]["name"] == "all"
    shown = CliRunner().invoke(cli, ["attack", str(run.root), "--attacks", "toy"]).stdout
    assert "all spans" in shown


def test_there_must_be_a_model(tiny_plan: Plan, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.prepare(tiny_plan)
    with pytest.raises(RunError, match="has made no model yet"):
        attack_run(run.root, ["prompts"])


def test_what_was_found_on_another_model_is_not_measured(ran: RunFolder, asked: list[str]) -> None:
    attack_run(ran.root, ["toy"])
    plan, found = ran.plan(), load_attacks(ran)
    assert of_this_run(ran, plan, found) == found
    toy = found["toy"]
    swapped = {**toy.models, "after": toy.models["before"]}
    other = of_this_run(ran, plan, {"toy": toy.model_copy(update={"models": swapped})})["toy"]
    assert other.results["after"].not_measured
    assert other.results["before"] == toy.results["before"]
    for update in ({"plan": "0" * 64}, {"models": {}}):
        with pytest.raises(IntegrityError, match="not of this run"):
            of_this_run(ran, plan, {"toy": toy.model_copy(update=update)})
