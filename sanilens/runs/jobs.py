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
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sanilens.atomic import private, private_folder, write_text
from sanilens.errors import RunError
from sanilens.runs.folder import took
from sanilens.runs.process import said_in

JobStatus = Literal["waiting", "running", "finished", "cancelled", "failed"]

PROGRESS_VARIABLE = "SANILENS_PROGRESS"
"""Names the file in which a command of ours keeps `JobProgress`, if it is set."""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job is: its stage, steps done and in all (0: unknown), seconds in this stage."""

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
        """End the process; what it had measured is lost."""
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
