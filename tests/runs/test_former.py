"""Undo: the weights before a request come back bit for bit, from the run's folder alone."""

import shutil
import stat
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from typer.testing import CliRunner

from sanilens.atomic import write_text
from sanilens.case import model_source, open_model, open_records
from sanilens.cli.main import cli
from sanilens.errors import IntegrityError, RunError
from sanilens.model.language_model import LanguageModel
from sanilens.runs.execute import execute
from sanilens.runs.folder import RunFolder
from sanilens.runs.former import undo, why_not
from sanilens.runs.integrity import check
from sanilens.runs.jobs import status
from sanilens.runs.log import run_events
from sanilens.runs.workspace import asked_before
from sanilens.unlearn.plan import NO_REPAIR, Plan, Repair, UnitEdit


def bits(model: LanguageModel) -> dict[str, bytes]:
    return {
        name: value.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        for name, value in model.module.state_dict().items()
    }


def names(plan: Plan) -> list[str]:
    return sorted({r.subject for r in open_records(plan.corpus.source) if r.spans})


def request(plan: Plan, number: int, **change: object) -> Plan:
    edits = (UnitEdit(unit=f"mlp.{number}.3", operation="reset"),)
    own = {"subjects": (names(plan)[number],), "edits": edits, "repair": Repair(method=NO_REPAIR)}
    return Plan.model_validate((plan.model_copy(update={**own, **change})).model_dump())


@pytest.fixture(scope="module")
def done(tiny_plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """The first subject's request, executed."""
    run = RunFolder(tmp_path_factory.mktemp("former") / "first")
    execute(request(tiny_plan, 0), run.root)
    return run


@pytest.fixture
def run(done: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A copy of it, in a workspace of its own."""
    monkeypatch.setenv("SANILENS_HOME", str(tmp_path / "home"))
    return RunFolder(shutil.copytree(done.root, tmp_path / "runs" / "first"))


def test_a_run_keeps_what_it_changed_and_no_more(run: RunFolder, tiny_plan: Plan) -> None:
    before, after = (bits(open_model(s)) for s in (tiny_plan.model.source, str(run.model)))
    changed = {name for name in before if before[name] != after[name]}
    with safe_open(run.former, framework="pt") as file:
        assert {*file.keys()} == changed
    assert 0 < len(changed) < len(before)
    assert stat.S_IMODE(run.former.stat().st_mode) == 0o600
    exported = next(e for e in run_events(run) if e["event"] == "exported")
    assert run.former.name in exported["files"]


def test_a_plan_for_everyone_keeps_nothing(tiny_plan: Plan, tmp_path: Path) -> None:
    plan = tiny_plan.model_copy(update={"repair": Repair(method=NO_REPAIR)})
    everyone = RunFolder(tmp_path / "run")
    execute(plan, everyone.root)
    assert not everyone.former.exists()
    assert "no request" in (why_not(everyone) or "")


def test_the_former_model_comes_back_bit_for_bit(
    run: RunFolder, tiny_plan: Plan, tmp_path: Path
) -> None:
    former = bits(open_model(tiny_plan.model.source))
    assert bits(open_model(str(run.model))) != former
    out = tmp_path / "back"
    assert bits(undo(run, out)) == former
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()} == {0o600}
    assert run_events(run)[-1]["event"] == "undone"
    assert status(run, run_events(run)) == "finished"
    assert check(run).verified
    with pytest.raises(RunError, match="not empty"):
        undo(run, out)


def test_a_later_request_comes_first(run: RunFolder, tiny_plan: Plan, tmp_path: Path) -> None:
    """Undone in turn the chain goes back; and who was deleted earlier is still known."""
    first, second = names(tiny_plan)[:2]
    model = str(run.model)
    source = model_source(model, open_model(model))
    later = RunFolder(run.root.with_name("second"))
    execute(request(tiny_plan, 1, model=source, earlier=(first,)), later.root)
    with pytest.raises(RunError, match="second stands on first"):
        undo(run, tmp_path / "too-soon")
    assert not (tmp_path / "too-soon").exists()
    of_first = bits(open_model(model))
    back = tmp_path / "back"
    restored = undo(later, back)
    assert bits(restored) == of_first
    assert restored.fingerprint == source.sha256
    shutil.rmtree(run.model.parent / "arms")  # whatever becomes of the first run
    assert asked_before(str(back)) == (first,)
    assert second not in (later.events_file).read_text("utf-8")


def test_an_undone_request_no_longer_stands(
    run: RunFolder, tiny_plan: Plan, tmp_path: Path
) -> None:
    model = str(run.model)
    source = model_source(model, open_model(model))
    later = RunFolder(run.root.with_name("second"))
    execute(request(tiny_plan, 1, model=source, earlier=(names(tiny_plan)[0],)), later.root)
    undo(later, tmp_path / "one")
    assert bits(undo(run, tmp_path / "two")) == bits(open_model(tiny_plan.model.source))
    execute(later.plan(), later.root)  # asked again, it stands again
    assert "stands on" in (why_not(run) or "")


def test_what_was_removed_makes_the_deletion_final(run: RunFolder, tmp_path: Path) -> None:
    run.former.unlink()
    assert check(run).verified
    with pytest.raises(RunError, match="final"):
        undo(run, tmp_path / "back")


def test_changed_former_values_are_refused(run: RunFolder, tmp_path: Path) -> None:
    content = run.former.read_bytes()
    run.former.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(IntegrityError, match=r"former\.safetensors"):
        undo(run, tmp_path / "back")


def test_who_was_deleted_before_a_restored_model_cannot_be_unreadable(
    run: RunFolder, tmp_path: Path
) -> None:
    out = tmp_path / "back"
    undo(run, out)
    assert asked_before(str(out)) == ()
    write_text(out / "deleted_before.json", "{}")
    with pytest.raises(IntegrityError, match="damaged"):
        asked_before(str(out))


def test_undo_in_the_terminal(run: RunFolder, tiny_plan: Plan, tmp_path: Path) -> None:
    out = tmp_path / "back"
    said = CliRunner().invoke(cli, ["undo", str(run.root), "--out", str(out)])
    assert said.exit_code == 0, said.output
    assert bits(open_model(str(out))) == bits(open_model(tiny_plan.model.source))
    assert names(tiny_plan)[0] not in said.output
