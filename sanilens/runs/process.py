"""The process of a run: start it, see how it fares, ask it to stop.

The app starts the command that a person would type, so a reload, a closed browser or a stopped
server does not end it. What is known of it lies in the run's folder, none of it in memory.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from sanilens.atomic import write_text
from sanilens.errors import RunError
from sanilens.runs.events import read_events
from sanilens.runs.folder import RunFolder
from sanilens.unlearn.plan import Plan

Status = Literal[
    "waiting", "starting", "running", "stopping", "finished", "cancelled", "failed", "killed"
]
"""waiting: never started. killed: it ended without a word, and the same command resumes it."""

ALIVE: tuple[Status, ...] = ("starting", "running", "stopping")

# Importing torch takes seconds before the process holds the run's lock; a process that does not
# hold it after this long (seconds) is not this run's any more: its number went to another one.
_START_UP = 90.0
_OUR_ERROR = "sanilens: "


def command(plan_file: str, folder: str) -> list[str]:
    """The command line of a run, as a person would type it."""
    return ["sanilens", "run", plan_file, "--out", folder]


def start(run: RunFolder, plan: Plan) -> None:
    """Start or resume `plan` in `run`, in a process of its own; returns at once.

    Raises:
        RunError: if the run is being executed, or its folder is of another plan.
    """
    if is_alive(run):
        raise RunError(f"{run.root.name} is being executed already.")
    run.prepare(plan)
    run.cancel_file.unlink(missing_ok=True)
    arguments = command(str(run.plan_file), str(run.root))[1:]
    with run.log_file.open("w", encoding="utf-8") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", "sanilens", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,  # Ctrl+C on the server is not meant for it
        )
    write_text(run.process_file, json.dumps({"pid": started.pid, "started": time.time()}))


def cancel(run: RunFolder) -> None:
    """Ask the process to stop after its current step; `start` resumes it."""
    run.cancel_file.touch()


def is_alive(run: RunFolder) -> bool:
    """Whether a process executes the run, or has been started to do so."""
    return status(run, read_events(run.events_file)) in ALIVE


def status(run: RunFolder, events: Sequence[Mapping[str, Any]]) -> Status:
    """How the run fares, from its lock, its process and its events so far."""
    if run.is_running():
        return "stopping" if run.cancel_file.exists() else "running"
    last = events[-1] if events else {"event": None, "time": 0.0}
    since = _starting_since(run)
    if since and since > last["time"]:
        return "starting"
    if last["event"] in ("finished", "cancelled"):
        return last["event"]
    if error(run):
        return "failed"
    return "killed" if events or run.log_file.exists() else "waiting"


def error(run: RunFolder) -> str | None:
    """What the run's process said was wrong."""
    return said_in(run.log_file)


def said_in(log: Path) -> str | None:
    """The last message of ours in a process's log; it holds no text of the corpus.

    Anything else in the log, a traceback for instance, may, and is left where it is.
    """
    if not log.exists():
        return None
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    said = [line.removeprefix(_OUR_ERROR) for line in lines if line.startswith(_OUR_ERROR)]
    return said[-1] if said else None


def _starting_since(run: RunFolder) -> float | None:
    """When the app started a process that may not hold the run's lock yet."""
    if not run.process_file.exists():
        return None
    process = json.loads(run.process_file.read_text(encoding="utf-8"))
    fresh = time.time() - process["started"] < _START_UP
    return process["started"] if fresh and _exists(process["pid"]) else None


def _exists(pid: int) -> bool:
    try:
        # A child of ours that has ended keeps its number until somebody asks how it ended.
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        pass  # started by an earlier server
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
