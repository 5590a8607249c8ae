"""A run survives what befalls it: kills at any point, full disks, other things in its place."""

import errno
import json
import os
import resource
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from sanilens.audit.summary import RateRow
from sanilens.errors import DivergedError, IntegrityError, ModelError, PlanError, RunError
from sanilens.model.language_model import LanguageModel
from sanilens.runs import folder as folder_module
from sanilens.runs.events import read_events
from sanilens.runs.execute import Cancelled, execute
from sanilens.runs.folder import RunFolder
from sanilens.runs.integrity import check
from sanilens.runs.jobs import error, is_alive, start, status
from sanilens.runs.log import recent_events, run_events
from sanilens.runs.repairing import Repairing
from sanilens.runs.workspace import corpora_folder, home
from sanilens.unlearn.plan import Plan


class Killed(BaseException):
    """Stands for a kill: nothing catches it."""


def die(*_: object) -> None:
    raise Killed


@pytest.fixture(scope="module")
def whole(tiny_plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    execute(tiny_plan, folder)
    return RunFolder(folder)


def weights(run: RunFolder) -> bytes:
    return (run.model / "model.safetensors").read_bytes()


def stopped(plan: Plan, folder: Path, event: str = "checkpoint") -> RunFolder:
    """A run that was cancelled after its first event of a kind."""
    run = RunFolder(folder)

    def cancel(happened: dict[str, Any]) -> None:
        if happened["event"] == event:
            run.cancel_file.touch()

    with pytest.raises(Cancelled):
        execute(plan, folder, cancel)
    return run


@pytest.mark.slow
@pytest.mark.parametrize("writes", ["write_text", "write_plan"])
def test_killed_before_the_plan_was_written(
    tiny_plan: Plan, tmp_path: Path, whole: RunFolder, writes: str
) -> None:
    run = RunFolder(tmp_path / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder_module, writes, die)
        with pytest.raises(Killed):
            execute(tiny_plan, run.root)
    for name in (".plan.json.abc.part", ".manifest.json.d.part", "process.json", "cancel"):
        (run.root / name).touch()
    execute(tiny_plan, run.root)
    assert weights(run) == weights(whole)
    assert check(run).verified


def test_half_written_files_go_when_it_is_resumed(
    tiny_plan: Plan, tmp_path: Path, whole: RunFolder
) -> None:
    run = stopped(tiny_plan, tmp_path / "run")
    left = [run.root, run.arms, run.checkpoints]
    for number, place in enumerate(left):
        (place / f".after.{number}.part").touch()
    (run.root / ".model.part").mkdir()
    (run.root / ".model.part" / "config.json").touch()
    (run.checkpoints / "after-99.safetensors").touch()  # moved, but not yet announced
    execute(tiny_plan, run.root)
    assert not [path for path in run.root.rglob("*") if path.name.endswith(".part")]
    assert not list(run.checkpoints.iterdir())
    assert weights(run) == weights(whole)


@pytest.mark.parametrize("place", ["run", "run/below"])
def test_a_file_where_the_folder_should_be(tiny_plan: Plan, tmp_path: Path, place: str) -> None:
    (tmp_path / "run").write_text("thesis")
    with pytest.raises(RunError, match=f"{Path(place).name} is a file, or lies below one"):
        execute(tiny_plan, tmp_path / place)
    assert (tmp_path / "run").read_text() == "thesis"


@pytest.mark.parametrize("name", ["lock", "cancel"])
@pytest.mark.parametrize("what", ["folder", "pipe", "link"])
def test_other_things_where_the_runs_own_should_be(
    tiny_plan: Plan, tmp_path: Path, name: str, what: str
) -> None:
    """Nothing hangs, nothing is written through a link, and it is one message if anything."""
    run, away = RunFolder(tmp_path / "run"), tmp_path / "away"
    away.write_text("thesis")
    run.root.mkdir()
    path = run.root / name
    put = {"folder": path.mkdir, "pipe": lambda: os.mkfifo(path)}
    put.get(what, lambda: path.symlink_to(away))()
    changed = tiny_plan.corpus.model_copy(update={"sha256": "0" * 64})
    with pytest.raises((RunError, PlanError)) as ended:  # the plan's: all else went well
        execute(tiny_plan.model_copy(update={"corpus": changed}), run.root)
    refuses = name == "lock" or what == "folder"
    assert isinstance(ended.value, RunError) == refuses
    assert away.read_text() == "thesis"


@pytest.mark.parametrize("what", ["folder", "pipe", "link to a folder"])
def test_a_log_that_is_none_says_nothing(tmp_path: Path, what: str) -> None:
    run = RunFolder(tmp_path)
    put = {"folder": run.log_file.mkdir, "pipe": lambda: os.mkfifo(run.log_file)}
    put.get(what, lambda: run.log_file.symlink_to(tmp_path))()
    assert error(run) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "write"),
    [
        (errno.ENOSPC, 1),
        (errno.ENOSPC, 40),
        (errno.EROFS, 5),
        *(
            pytest.param(number, write, marks=pytest.mark.slow)
            for number, write in (
                (errno.ENOSPC, 5), (errno.ENOSPC, 20), (errno.ENOSPC, 30),
                (errno.EACCES, 5), (errno.EIO, 20),
            )
        ),
    ],
)  # fmt: skip
def test_a_disk_that_refuses_is_one_message_and_nothing_is_lost(
    tiny_plan: Plan, tmp_path: Path, whole: RunFolder, number: int, write: int
) -> None:
    calls, real = iter(range(1, 10_000)), os.fsync

    def refuse(handle: int) -> None:
        if next(calls) >= write:
            raise OSError(number, os.strerror(number))
        real(handle)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(RunError, match=os.strerror(number)) as wrong:
            execute(tiny_plan, tmp_path / "run")
    assert str(tmp_path) not in str(wrong.value)
    execute(tiny_plan, tmp_path / "run")
    assert weights(RunFolder(tmp_path / "run")) == weights(whole)


@pytest.mark.slow
@pytest.mark.parametrize("size", [300, 5_000, 40_000])
def test_a_file_that_may_not_grow(
    tiny_plan: Plan, tmp_path: Path, whole: RunFolder, size: int
) -> None:
    """The system's own refusal, in a child: of JSON, Parquet and safetensors by their writers."""
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        try:
            execute(tiny_plan, tmp_path / "run")
        except RunError:
            os._exit(1)
        finally:
            os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    execute(tiny_plan, tmp_path / "run")
    assert weights(RunFolder(tmp_path / "run")) == weights(whole)


def test_two_processes_on_one_run(tiny_plan: Plan, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    with run.locked():
        child = os.fork()
        if not child:
            try:
                execute(tiny_plan, run.root)
            except RunError as refused:
                os._exit("being executed by another process" in str(refused))
            finally:
                os._exit(9)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    assert not run.plan_file.exists()


@pytest.mark.slow
def test_a_path_of_odd_names(tiny_plan: Plan, tmp_path: Path, whole: RunFolder) -> None:
    run = stopped(tiny_plan, tmp_path / "a b\n[red]*🙂" / "--out ' \"", "measured")
    execute(tiny_plan, run.root)
    assert check(run).verified
    assert weights(run) == weights(whole)


@pytest.mark.slow
def test_only_the_owner_reads_a_run(
    tiny_plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANILENS_HOME", str(tmp_path / "home"))
    before = os.umask(0)
    try:
        run = stopped(tiny_plan, home() / "run")
        execute(tiny_plan, run.root)
    finally:
        os.umask(before)
    modes = {p: stat.S_IMODE(p.stat().st_mode) for p in (home(), *home().rglob("*"))}
    assert all(mode == (0o700 if path.is_dir() else 0o600) for path, mode in modes.items()), modes
    assert run.events_file in modes


def test_an_open_workspace_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANILENS_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "corpora").mkdir(parents=True, mode=0o755)
    assert stat.S_IMODE(corpora_folder().stat().st_mode) == 0o700
    assert stat.S_IMODE(home().stat().st_mode) == 0o700
    monkeypatch.setenv("SANILENS_HOME", str(tmp_path / "file"))
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="SANILENS_HOME"):
        home()


PROCESSES: list[Any] = [
    {}, [], None, 7, "x", {"pid": None, "started": 1}, {"pid": -1, "started": "now"},
    {"pid": "1", "started": 1.0}, {"pid": 1, "started": 1e999}, {"pid": 10**30, "started": 1.0},
    {"pid": 1.5, "started": 1.0}, {"pid": [], "started": []},
]  # fmt: skip


@pytest.mark.parametrize("fields", PROCESSES, ids=range(len(PROCESSES)))
def test_a_damaged_process_file_says_nothing(tmp_path: Path, fields: Any) -> None:
    run = RunFolder(tmp_path)
    if isinstance(fields, dict) and "started" in fields and fields["started"] == 1.0:
        fields["started"] = time.time()
    run.process_file.write_text(json.dumps(fields))
    assert status(run, []) == "waiting"


@pytest.mark.parametrize("pid", [0, -1])
def test_a_group_of_processes_is_none_of_ours(tmp_path: Path, pid: int) -> None:
    """Waiting for -1 would take the end of somebody else's child."""
    run = RunFolder(tmp_path)
    run.process_file.write_text(json.dumps({"pid": pid, "started": time.time()}))
    assert not is_alive(run)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 10**5])
def test_a_torn_process_file_says_nothing(tmp_path: Path, content: bytes) -> None:
    run = RunFolder(tmp_path)
    run.process_file.write_bytes(content)
    assert status(run, []) == "waiting"


def test_a_number_that_belongs_to_another_process(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    fields = {"pid": os.getpid(), "started": time.time()}
    run.process_file.write_text(json.dumps(fields))
    assert status(run, []) == "starting"
    run.process_file.write_text(json.dumps(fields | {"born": "1"}))
    assert status(run, []) == "waiting"
    run.process_file.unlink()
    run.process_file.mkdir()
    assert status(run, []) == "waiting"


def test_the_app_cannot_start_where_it_cannot_write(tiny_plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "run").touch()
    with pytest.raises(RunError, match="cannot be read or written"):
        start(RunFolder(tmp_path / "run"), tiny_plan)


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_flipped_checkpoint_is_named_and_a_missing_one_is_made_anew(
    tiny_plan: Plan, tmp_path: Path, whole: RunFolder
) -> None:
    run = stopped(tiny_plan, tmp_path / "run")
    (checkpoint,) = run.checkpoints.iterdir()
    flipped(checkpoint)
    for read in (lambda: execute(tiny_plan, run.root), lambda: check(run)):
        with pytest.raises(IntegrityError, match=f"checkpoints/{checkpoint.name} has changed"):
            read()
    checkpoint.unlink()
    execute(tiny_plan, run.root)
    assert weights(run) == weights(whole)


def test_a_plan_edited_between_stop_and_resume_is_named(tiny_plan: Plan, tmp_path: Path) -> None:
    run = stopped(tiny_plan, tmp_path / "run")
    fields = json.loads(run.plan_file.read_text())
    fields["repair"]["learning_rate"] /= 2
    run.plan_file.write_text(json.dumps(fields))
    for plan in (run.plan(), tiny_plan):  # the app gives the folder's own plan
        with pytest.raises(IntegrityError, match=r"plan\.json has changed"):
            execute(plan, run.root)


def test_a_checkpoint_of_another_run_is_named(tiny_plan: Plan, tmp_path: Path) -> None:
    other = stopped(tiny_plan.model_copy(update={"seed": 1}), tmp_path / "other")
    run = stopped(tiny_plan, tmp_path / "run")
    ((own,), (their,)) = run.checkpoints.iterdir(), other.checkpoints.iterdir()
    shutil.copy(their, own)
    with pytest.raises(IntegrityError, match=f"checkpoints/{own.name} has changed"):
        execute(tiny_plan, run.root)


@pytest.fixture
def curve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the live curve show given perplexities, then the last one for good."""

    def shows(*values: float) -> None:
        def point(self: Repairing, name: str, _subject: object, step: int) -> float:
            left = next(shown)
            self.note("curve", arm=name, step=step, said=0, of=1, perplexity=left)
            return left

        def endless() -> Iterator[float]:
            yield from values
            while True:
                yield values[-1]

        shown = endless()
        monkeypatch.setattr(Repairing, "_curve_point", point)

    return shows


@pytest.mark.parametrize(("values", "step"), [((5.0, 9.0), 0), ((5.0, 5.0, 5.0, 5.0, 9.0), None)])
def test_an_early_stop_goes_back_to_the_last_state_within_bounds(
    tiny_plan: Plan, tmp_path: Path, curve: Callable[..., None], values: tuple, step: int | None
) -> None:
    """To an epoch's end, or to the beginning, if the first epoch spoils it."""
    repair = tiny_plan.repair.model_copy(update={"max_perplexity_rise": 0.5, "epochs": 3})
    run, kept = RunFolder(tmp_path / "run"), {}

    def keep(event: dict[str, Any]) -> None:
        if event["event"] == "checkpoint":
            (path,) = event["files"]
            kept[event["step"]] = load_file(run.root / path)

    curve(*values)
    execute(tiny_plan.model_copy(update={"repair": repair}), run.root, keep)
    events = run_events(run)
    (back,) = (e["step"] for e in events if e["event"] == "rolled_back")
    (stop,) = (e["step"] for e in events if e["event"] == "stopped_early")
    assert back < stop
    assert back == (max(kept) if step is None else step)
    exported = load_file(run.model / "model.safetensors")
    shared = [name for name in exported if f"weight.{name}" in kept[back]]
    assert len(shared) > 10
    assert all(torch.equal(exported[name], kept[back][f"weight.{name}"]) for name in shared)
    assert check(run).verified


@pytest.mark.slow
def test_an_early_stop_that_was_killed_is_repeated(
    tiny_plan: Plan, tmp_path: Path, curve: Callable[..., None]
) -> None:
    repair = tiny_plan.repair.model_copy(update={"max_perplexity_rise": 0.5, "epochs": 3})
    plan = tiny_plan.model_copy(update={"repair": repair})
    perplexities = (5.0, 5.0, 5.0, 5.0, 9.0)
    curve(*perplexities)
    execute(plan, tmp_path / "whole")
    curve(*perplexities)

    def kill(event: dict[str, Any]) -> None:
        if event["event"] == "rolled_back":
            raise Killed

    with pytest.raises(Killed):
        execute(plan, tmp_path / "run", kill)
    curve(9.0)
    execute(plan, tmp_path / "run")
    assert weights(RunFolder(tmp_path / "run")) == weights(RunFolder(tmp_path / "whole"))


@pytest.mark.parametrize("lost", [float("inf"), 1e211])
def test_a_repair_that_leaves_the_numbers_ends_as_an_error(
    tiny_plan: Plan, tmp_path: Path, curve: Callable[..., None], lost: float
) -> None:
    run = RunFolder(tmp_path / "run")
    curve(5.0, lost)
    with pytest.raises(DivergedError, match="lower learning rate") as ended:
        execute(tiny_plan, run.root)
    last = read_events(run.events_file)[-1]
    assert (last["event"], last["arm"], last["step"]) == ("diverged", "after", ended.value.step)
    assert not run.model.exists()
    assert check(run).arms == ("before",)
    assert status(run, recent_events(run)) == "failed"
    assert "lower learning rate" in (error(run) or "")
    with pytest.raises(DivergedError, match="this one ends here again"):
        execute(tiny_plan, run.root)
    assert len(run_events(run)) == last["n"] + 1


def test_a_model_whose_logits_are_no_numbers_ends_as_an_error(
    tiny_plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter(range(9))
    real = Repairing._looked_at

    def look(self: Repairing, model: LanguageModel) -> tuple[RateRow, float]:
        if next(looks):
            raise ModelError("its logits are no numbers")
        return real(self, model)

    monkeypatch.setattr(Repairing, "_looked_at", look)
    with pytest.raises(DivergedError, match="no number any more"):
        execute(tiny_plan, tmp_path / "run")
    assert not RunFolder(tmp_path / "run").model.exists()
