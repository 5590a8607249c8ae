"""The workspace's record: chained, without a value of the corpus, and whole or refused."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sanilens.case import open_records
from sanilens.cli.main import cli
from sanilens.errors import IntegrityError, RunError
from sanilens.locked import VARIABLE
from sanilens.runs.execute import execute
from sanilens.runs.folder import RunFolder
from sanilens.runs.identity import Identity, delete_run, save_identity
from sanilens.runs.record import head_file, read_record, record_file, record_since
from sanilens.unlearn.plan import NO_REPAIR, Plan, Repair


@pytest.fixture
def plan(tiny_plan: Plan) -> Plan:
    """A quick one."""
    return tiny_plan.model_copy(update={"repair": Repair(method=NO_REPAIR), "controls": False})


@pytest.mark.slow
def test_plans_their_outcome_and_what_became_of_them(plan: Plan, tmp_path: Path) -> None:
    execute(plan, tmp_path / "one")
    execute(plan, tmp_path / "one")  # done already: nothing to be recorded
    person = sorted({r.subject for r in open_records(plan.corpus.source) if r.spans})[0]
    other = plan.model_copy(update={"seed": 7, "subjects": (person,)})
    execute(other, tmp_path / "two")
    execute(other, tmp_path / "replayed", anew=True)
    delete_run(RunFolder(tmp_path / "two"))
    first, done, second, then, deleted = read_record()
    assert [first["event"], done["event"], deleted["event"]] == [
        "planned", "carried out", "deleted",
    ]  # fmt: skip
    assert first["before"] is None
    assert second["before"] == first["plan"] == plan.sha256
    assert second["changed"] == ["seed", "subjects"]
    assert then["subjects"] == deleted["subjects"] == [person]
    assert then["state"] in ("gone", "not_gone", "undecided", "queued")
    assert record_file().stat().st_mode & 0o777 == 0o600
    text = record_file().read_text("utf-8")
    records = open_records(plan.corpus.source)
    values = {r.value(s) for r in records for s in r.spans if len(r.value(s)) > 4}
    assert values
    assert not [value for value in values if value in text]
    listed = json.loads(CliRunner().invoke(cli, ["record", "--json"]).stdout)["record"]
    assert [e["hash"] for e in listed] == [e["hash"] for e in read_record()]
    assert "deleted" in CliRunner().invoke(cli, ["record"]).stdout


def test_a_record_that_was_changed_or_cut_is_refused(plan: Plan) -> None:
    for _ in range(3):
        record_since("undone", plan)
    whole = record_file().read_bytes()
    lines = whole.splitlines(keepends=True)
    for content in (b"".join(lines[:2]), b"", whole.replace(b"undone", b"deleted", 1), lines[0]):
        record_file().write_bytes(content)
        with pytest.raises(IntegrityError, match=r"record"):
            read_record()
    record_file().write_bytes(whole)
    assert len(read_record()) == 3
    head_file().unlink()
    with pytest.raises(IntegrityError, match="is missing"):
        read_record()


def test_a_locked_app_deletes_and_renames_nothing(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunFolder(tmp_path / "run")
    run.prepare(plan)
    monkeypatch.setenv(VARIABLE, "1")
    for change in (lambda: delete_run(run), lambda: save_identity(run, Identity(name="x"))):
        with pytest.raises(RunError, match="locked"):
            change()
    assert run.plan_file.is_file()
