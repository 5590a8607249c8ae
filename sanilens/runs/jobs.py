"""Jobs: a command of ours in its own process, with progress, cancel and a result.

For long work that ends in one JSON object: benchmarks of localisers, training of an autoencoder.
The folder holds all that is known of it, so a reload, a closed browser or a stopped server loses
nothing. (A plan's run has its own folder and can be resumed: runs/process.py.)
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sanilens.atomic import private, private_folder, write_text
from sanilens.errors import DivergedError, RunError
from sanilens.locked import refuse_if_locked
from sanilens.runs.arms import COPIES
from sanilens.runs.folder import RunFolder, took, writing
from sanilens.runs.log import read_ledger, recent_events
from sanilens.unlearn.plan import Plan

JobStatus = Literal["waiting", "running", "finished", "cancelled", "failed"]

PROGRESS_VARIABLE = "SANILENS_PROGRESS"
"""Names the file in which a command of ours keeps `JobProgress`, if it is set."""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """A job's progress: its stage, steps done and in all (0: unknown), seconds in this stage."""

    stage: str = ""
    done: int = 0
    of: int = 0
    seconds: float = 0.0

    @property
    def seconds_left(self) -> float | None:
        """An estimate from this stage's pace; None before its first step."""
        if not self.done or not self.of:
            return None
        return self.seconds / self.done * (self.of - self.done)


@dataclass(frozen=True, slots=True)
class Job:
    """A job's folder; nothing exists until it is started."""

    root: Path

    def start(self, arguments: Sequence[str]) -> None:
        """Run `sanilens <arguments>`, which prints one JSON object; returns at once.

        Raises:
            RunError: if it is running already.
        """
        refuse_if_locked()
        private_folder(self.root)
        with open(self._lock_file, "wb", opener=private) as lock:
            if not took(lock):
                raise RunError(f"{self.root.name} is running already.")
            for old in (self._result_file, self._progress_file, self._cancelled_file):
                old.unlink(missing_ok=True)
            with (
                open(self._result_file, "wb", opener=private) as result,
                open(self.log_file, "wb", opener=private) as log,
            ):
                # The child inherits the lock and holds it for as long as it lives.
                started = subprocess.Popen(
                    [sys.executable, "-m", "sanilens", *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=result,
                    stderr=log,
                    env={**os.environ, PROGRESS_VARIABLE: str(self._progress_file)},
                    pass_fds=[lock.fileno()],
                    start_new_session=True,  # Ctrl+C on the server is not meant for it
                )
            write_text(self._process_file, str(started.pid))

    def cancel(self) -> None:
        """End the process; what it has not written itself is lost."""
        if self.status() != "running":
            return
        self._cancelled_file.touch(mode=0o600)
        # Its lock is held, so the number is still that of our process.
        os.killpg(int(self._process_file.read_text(encoding="utf-8")), signal.SIGTERM)

    def status(self) -> JobStatus:
        """How it fares."""
        if not self._lock_file.exists():
            return "waiting"
        with self._lock_file.open("r+") as lock:
            if not took(lock):
                return "running"
        if self.result() is not None:
            return "finished"
        return "cancelled" if self._cancelled_file.exists() else "failed"

    def result(self) -> dict[str, Any] | None:
        """The JSON object that the command printed; None where there is none (yet)."""
        try:
            found = json.loads(self._result_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def progress(self) -> JobProgress:
        """How far it is, as far as it has told."""
        try:
            return JobProgress(**json.loads(self._progress_file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return JobProgress()

    def error(self) -> str | None:
        """What the process said was wrong, in our own words."""
        return said_in(self.log_file)

    @property
    def log_file(self) -> Path:
        """Standard error of the process; it may hold text of the corpus."""
        return self.root / "process.log"

    @property
    def _result_file(self) -> Path:
        return self.root / "result.json"

    @property
    def _progress_file(self) -> Path:
        return self.root / "progress.json"

    @property
    def _cancelled_file(self) -> Path:
        return self.root / "cancelled"

    @property
    def _process_file(self) -> Path:
        return self.root / "process"

    @property
    def _lock_file(self) -> Path:
        return self.root / "lock"


Status = Literal[
    "waiting", "starting", "running", "stopping", "finished", "cancelled", "failed", "killed"
]
"""waiting: never started. killed: it ended without a word, and the same command resumes it."""

ALIVE: tuple[Status, ...] = ("starting", "running", "stopping")

# Importing torch takes seconds before the process holds the run's lock; a process that does not
# hold it after this long (seconds) is not this run's any more: its number went to another one.
_START_UP = 90.0
_OUR_ERROR = "sanilens: "
_LOG_TAIL = 2**20


class _Process(BaseModel):
    """A process's number and its start: numbers are given out again once a process ends."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    # 0 and below mean groups of processes.
    pid: int = Field(gt=0, lt=2**31)
    started: float = Field(ge=0)
    born: str | None = None


def command(plan_file: str, folder: str) -> list[str]:
    """The command line of a run, as a person would type it."""
    return ["sanilens", "run", plan_file, "--out", folder]


def start(run: RunFolder, plan: Plan) -> None:
    """Start or resume `plan` in `run`, in a process of its own; returns at once.

    Raises:
        RunError: if the run is being executed, or its folder is of another plan.
    """
    refuse_if_locked()
    with writing(run.root):
        if is_alive(run):
            raise RunError(f"{run.root.name} is being executed already.")
        run.prepare(plan)
        run.cancel_file.unlink(missing_ok=True)
        arguments = command(str(run.plan_file), str(run.root))[1:]
        with open(run.log_file, "wb", opener=private) as log:
            pid = subprocess.Popen(
                [sys.executable, "-m", "sanilens", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,  # Ctrl+C on the server is not meant for it
            ).pid
        process = _Process(pid=pid, started=time.time(), born=_born(pid))
        write_text(run.process_file, process.model_dump_json())


def cancel(run: RunFolder) -> None:
    """Ask the process to stop after its current step; `start` resumes it.

    Raises:
        RunError: if this process may look alone.
    """
    refuse_if_locked()
    with writing(run.root):
        run.cancel_file.touch(mode=0o600)


def is_alive(run: RunFolder) -> bool:
    """Whether a process executes the run, or has been started to do so."""
    return status(run, recent_events(run)) in ALIVE


def status(run: RunFolder, events: Sequence[Mapping[str, Any]]) -> Status:
    """The state of a run, from its lock, its process and its events so far."""
    if run.is_running():
        return "stopping" if run.cancel_file.exists() else "running"
    # A finished run may be attacked and exported as well; whether that ended, its results say.
    about_run = (
        e for e in reversed(events)
        if e["event"] not in ("attacking", "attacked") and e.get("arm") not in COPIES
    )  # fmt: skip
    last = next(about_run, {"event": None, "time": 0.0})
    since = _starting_since(run)
    if since and since > last["time"]:
        return "starting"
    if last["event"] in ("finished", "undone", "handed_over"):
        return "finished"
    if last["event"] == "cancelled":
        return "cancelled"
    if last["event"] == "diverged" or error(run):
        return "failed"
    return "killed" if events or run.log_file.exists() else "waiting"


def error(run: RunFolder) -> str | None:
    """What the run's process said was wrong, or its last event does."""
    if lost := read_ledger(recent_events(run)).diverged:
        return str(DivergedError(*lost))
    return said_in(run.log_file)


def said_in(log: Path) -> str | None:
    """The last message of ours in a process's log; it holds no text of the corpus.

    Anything else in the log, a traceback for instance, may, and is left where it is.
    """
    if not log.is_file():
        return None
    with log.open("rb") as file:
        file.seek(-min(_LOG_TAIL, log.stat().st_size), os.SEEK_END)
        lines = file.read().decode(errors="replace").splitlines()
    said = [line.removeprefix(_OUR_ERROR) for line in lines if line.startswith(_OUR_ERROR)]
    return said[-1] if said else None


def _starting_since(run: RunFolder) -> float | None:
    """When the app started a process that may not hold the run's lock yet."""
    if not run.process_file.is_file():
        return None
    try:
        process = _Process.model_validate_json(run.process_file.read_bytes())
    except (OSError, ValidationError):
        return None  # damaged: the lock still tells whether the run is being executed
    fresh = abs(time.time() - process.started) < _START_UP
    return process.started if fresh and _exists(process) else None


def _exists(process: _Process) -> bool:
    try:
        # A child of ours that has ended keeps its number until somebody asks how it ended.
        return os.waitpid(process.pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        pass  # started by an earlier server
    try:
        os.kill(process.pid, 0)
    except OSError:
        return False
    return process.born is None or process.born == _born(process.pid)


def _born(pid: int) -> str | None:
    """When a process began, in the system's ticks; None where the system does not tell."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    # Its name stands in brackets and may hold any character; 19 more fields come before.
    return told.rpartition(")")[2].split()[19]
