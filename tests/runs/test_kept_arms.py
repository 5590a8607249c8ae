"""Arms kept between runs are those that a fresh run would measure, byte for byte."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from sanilens.audit.metrics.metric import Exam
from sanilens.audit.sampling import Sampler
from sanilens.case import open_planned, open_records
from sanilens.model.language_model import LanguageModel
from sanilens.runs.execute import execute, kept_already
from sanilens.runs.folder import RunFolder
from sanilens.runs.integrity import check
from sanilens.runs.kept_arms import arm_key
from sanilens.runs.treatments import instead_of
from sanilens.runs.workspace import arms_folder
from sanilens.unlearn.plan import NO_REPAIR, Plan, Repair, Rewriting
from tests.conftest import fast_first
from tests.runs.exported import same, weights

REUSED = ("before", "base", "lookalike", "another_subject")


@pytest.fixture
def requests(tiny_plan: Plan) -> list[Plan]:
    """Two people's requests, for whom the same third one is deleted instead."""
    people = sorted({r.subject for r in open_records(tiny_plan.corpus.source) if r.spans})
    fields = {
        "edits": (),
        "repair": Repair(method=NO_REPAIR),
        "rewrite": Rewriting(damping=1e-5, most_steps=1),
        "controls": True,
    }
    plans = [tiny_plan.model_copy(update={**fields, "subjects": (own,)}) for own in people]
    third = [instead_of(own, open_records(tiny_plan.corpus.source)) for own in plans]
    first, second = next(
        (i, k) for i in range(len(plans)) for k in range(i) if third[i] == third[k]
    )
    return [plans[first], plans[second]]


def measured(plan: Plan, folder: Path, **how: Any) -> tuple[RunFolder, dict[str, bool]]:
    """A run, and of each arm whether an earlier run had measured it."""
    seen: dict[str, bool] = {}

    def hear(event: dict[str, Any]) -> None:
        if event["event"] == "measured":
            seen[event["arm"]] = event.get("kept", False)

    execute(plan, folder, hear, **how)
    return RunFolder(folder), seen


def content(run: RunFolder, name: str) -> tuple[bytes, dict[str, Any]]:
    """An arm's table, and its summary without what no two measurements share."""
    summary = json.loads((run.arms / f"{name}.json").read_text(encoding="utf-8"))
    assert summary.pop("seconds") > 0
    return (run.arms / f"{name}.parquet").read_bytes(), summary


@pytest.mark.slow
def test_the_next_request_measures_only_what_it_changes(
    requests: list[Plan], tmp_path: Path
) -> None:
    _, first = measured(requests[0], tmp_path / "first")
    assert not any(first.values())
    second, reused = measured(requests[1], tmp_path / "second")
    assert {name for name, kept in reused.items() if kept} == set(REUSED)
    assert not reused["after"]
    check(second)
    fresh, anew = measured(requests[1], tmp_path / "fresh", anew=True)
    assert not any(anew.values())
    assert same(weights(second), weights(fresh)), "curvature measured anew is what was kept"
    for name in anew:
        assert content(second, name) == content(fresh, name), name


@pytest.mark.slow
def test_what_requests_share_is_measured_beforehand(requests: list[Plan], tmp_path: Path) -> None:
    case, file = open_planned(requests[0]), tmp_path / "plan.json"
    file.write_text(requests[1].model_dump_json(), encoding="utf-8")
    assert kept_already(requests[0], case) == set()
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}  # figures are kept by these too
    made = subprocess.run(
        [sys.executable, "-m", "sanilens", "prepare", str(file), "--json"],
        env={**os.environ, **threads},
        capture_output=True,
        check=True,
    )
    assert set(json.loads(made.stdout)["kept"]) == {*REUSED} == kept_already(requests[0], case)
    run, reused = measured(requests[0], tmp_path / "run")
    assert {name for name, kept in reused.items() if kept} == {*REUSED}
    fresh, _ = measured(requests[0], tmp_path / "fresh", anew=True)
    assert same(weights(run), weights(fresh)), "curvature measured beforehand is the run's own"
    for name in reused:
        assert content(run, name) == content(fresh, name), name


def test_what_is_kept_belongs_to_its_owner(requests: list[Plan], tmp_path: Path) -> None:
    measured(requests[0], tmp_path / "run")
    modes = {p.stat().st_mode & 0o777 for p in arms_folder().rglob("*") if p.is_file()}
    assert modes == {0o600}
    assert {p.stat().st_mode & 0o777 for p in arms_folder().rglob("*") if p.is_dir()} == {0o700}


@pytest.mark.slow
@pytest.mark.parametrize(
    "broken", fast_first(["kept.json", "before.json", "before.parquet"], ["before.parquet"])
)
def test_what_was_changed_is_measured_anew(tiny_plan: Plan, tmp_path: Path, broken: str) -> None:
    plan = tiny_plan.model_copy(update={"repair": Repair(method=NO_REPAIR)})
    measured(plan, tmp_path / "first")
    (file,) = [p for p in arms_folder().rglob(broken) if (p.parent / "before.json").exists()]
    file.write_bytes(file.read_bytes().replace(b"1", b"2"))
    run, reused = measured(plan, tmp_path / "second")
    assert (reused["before"], reused["base"]) == (False, True)
    check(run)
    assert measured(plan, tmp_path / "third")[1]["before"], "and kept again"


def test_all_that_decides_an_arm_is_in_its_key(
    tiny_plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = open_planned(tiny_plan)
    exam = case.exam()

    def key(own: Exam = exam, model: LanguageModel = case.model, **other: Any) -> str:
        return arm_key("before", model, own, other.get("metrics", ()), 64, other.get("plan"))

    keys = [
        key(),
        key(replace(exam, seed=1)),
        key(replace(exam, prefix_tokens=5)),
        key(replace(exam, sampler=Sampler(top_k=3))),
        key(replace(exam, unseen=())),
        key(replace(exam, base=None)),
        key(exam.of(exam.records[:1])),
        key(model=case.model.copied()),
        key(model=replace(case.model, opening=(3,))),
        key(metrics=("exposure",)),
        key(plan=tiny_plan),
        key(plan=tiny_plan.model_copy(update={"seed": 1})),
        arm_key("base", case.model, exam, (), 64),
    ]
    monkeypatch.setattr("sanilens.runs.kept_arms._code", lambda: "of another version")
    assert len({*keys, key()}) == len(keys) + 1
