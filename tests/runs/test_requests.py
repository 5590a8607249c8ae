"""Requests one after another: each plan for some subjects, each run beginning with the last one."""

import json
import shutil
from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner

from sanilens.case import model_source, open_model, open_planned, open_records
from sanilens.cli.compare import compare
from sanilens.cli.plan import plan as plan_command
from sanilens.corpus.records import in_scope
from sanilens.errors import CorpusError, IntegrityError
from sanilens.runs.comparison import load_comparison
from sanilens.runs.execute import execute
from sanilens.runs.folder import RunFolder
from sanilens.runs.integrity import digests
from sanilens.runs.log import RunLog
from sanilens.runs.workspace import asked_before, run_of
from sanilens.unlearn.plan import Plan, Repair, write_plan
from sanilens.unlearn.sanitise import Change, sanitise

SURROGATES = Repair(epochs=1, batch_size=4, learning_rate=1e-3)


def names(plan: Plan) -> list[str]:
    return sorted({r.subject for r in open_records(plan.corpus.source) if r.spans})


@pytest.fixture(scope="module")
def asked(tiny_plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """The first subject's request, executed."""
    folder = tmp_path_factory.mktemp("asked") / "run"
    first = names(tiny_plan)[0]
    change = {"subjects": (first,), "repair": SURROGATES, "edits": ()}
    execute(tiny_plan.model_copy(update=change), folder)
    return RunFolder(folder)


def test_a_run_trains_on_the_records_in_scope(asked: RunFolder) -> None:
    plan = asked.plan()
    inputs = open_planned(plan)
    assert inputs.asked(plan.subjects) == in_scope(inputs.corpus.records, plan.subjects)
    change = Change((), plan.repair, subjects=plan.subjects)
    made = sanitise(inputs.model, inputs.corpus.records, change, inputs.base)
    pairs = zip(
        open_model(str(asked.model)).module.parameters(),
        made.model.module.parameters(),
        strict=True,
    )
    assert all(torch.equal(one, other) for one, other in pairs)


def test_those_asked_for_and_all_others_are_counted_apart(asked: RunFolder) -> None:
    found = load_comparison(asked)
    assert found.groups == ("asked", "others")
    own, rest = found.of("asked"), found.of("others")
    for arm in found.arms.keys() - {"lookalike"}:
        assert min(own.rate(arm).n, rest.rate(arm).n) > 0
        assert own.rate(arm).n + rest.rate(arm).n == found.rate(arm).n
        assert own.rate(arm).hits + rest.rate(arm).hits == found.rate(arm).hits
    assert {*own.arms["after"].by_subject} == found.subjects
    table = found.table()
    assert {*table["whose"]} == {"everyone", "asked", "others"}
    assert len(table) == 9 * (len(found.arms) - 1) + 3


def test_compare_tells_of_the_harm_to_others(
    asked: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    compare([asked.root], as_json=True)
    found = json.loads(capsys.readouterr().out)[str(asked.root)]["groups"]
    expected = load_comparison(asked)
    for group in expected.groups:
        for arm in ("before", "after"):
            assert found[group][arm]["n"] == expected.of(group).rate(arm).n
    compare([asked.root])
    assert "All others" in capsys.readouterr().out


def test_a_request_knows_those_before_it(asked: RunFolder, tiny_plan: Plan) -> None:
    assert run_of(tiny_plan.model.source) is None
    assert asked_before(tiny_plan.model.source) == ()
    assert asked_before(str(asked.model)) == asked.plan().subjects


def test_a_plan_beside_a_model_is_no_run(asked: RunFolder, tmp_path: Path) -> None:
    """As who writes both into one folder has them; once something of a run is there, it is one."""
    run = RunFolder(tmp_path / "project")
    shutil.copytree(asked.model, run.model)
    shutil.copy(asked.plan_file, run.plan_file)
    assert run_of(str(run.model)) is None
    assert asked_before(str(run.model)) == ()
    for left in (run.events_file, run.head_file, run.manifest_file):
        left.touch()
        assert run_of(str(run.model)) == run
        with pytest.raises(IntegrityError):
            asked_before(str(run.model))
        left.unlink()


def test_a_chain_that_was_bent_into_a_ring_ends(
    asked: RunFolder, tiny_plan: Plan, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path / "ring")
    run.model.mkdir(parents=True)
    own = tiny_plan.model.model_copy(update={"source": str(run.model)})
    ring = asked.plan().model_copy(update={"model": own})
    write_plan(ring, run.plan_file)
    RunLog(run).append("started", plan=ring.sha256, files=digests(run, [run.plan_file]))
    assert asked_before(str(run.model)) == asked.plan().subjects


@pytest.mark.slow
def test_the_next_request_begins_with_the_last_ones_model(
    asked: RunFolder, tiny_plan: Plan, tmp_path: Path
) -> None:
    """Planned in the terminal, where a run's model is given; executed; and the one after it."""
    first, second, third = names(tiny_plan)[:3]
    model = str(asked.model)
    plan = asked.plan().model_copy(
        update={
            "model": model_source(model, open_model(model)),
            "subjects": (second,),
            "earlier": asked_before(model),
        }
    )
    run = RunFolder(tmp_path / "run")
    execute(plan, run.root)
    inputs = open_planned(plan)
    assert first not in {record.subject for record in inputs.asked(plan.subjects, plan.earlier)}
    found = load_comparison(run)
    assert found.groups == ("asked", "earlier", "others")
    assert [{*found.of(group).arms["after"].by_subject} for group in ("asked", "earlier")] == [
        {second},
        {first},
    ]
    assert asked_before(str(run.model)) == tuple(sorted((first, second)))
    corpus = tiny_plan.corpus.source
    app = typer.Typer()
    app.command()(plan_command)
    words = ["--model", run.model, "--corpus", corpus, "--subject", third, "--unit", "mlp.0.1"]
    made = CliRunner().invoke(app, [*map(str, words)])
    assert made.exit_code == 0, made.output
    planned = Plan.model_validate_json(made.stdout)
    assert (planned.subjects, planned.earlier) == ((third,), tuple(sorted((first, second))))


def test_no_subject_stands_in_a_log(asked: RunFolder) -> None:
    (name,) = asked.plan().subjects
    assert name not in asked.events_file.read_text("utf-8")
    assert name not in (asked.root / "manifest.json").read_text("utf-8")


def test_a_subject_who_is_not_there_is_refused(tiny_plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="subject 1 of the 1") as refused:
        execute(tiny_plan.model_copy(update={"subjects": ("Bea Roth",)}), tmp_path / "run")
    assert "Bea" not in str(refused.value)
