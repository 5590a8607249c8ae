"""A run's process: started, followed, cancelled, resumed; and what its folder says of it."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sanilens.errors import RunError
from sanilens.runs.arms import load_arms
from sanilens.runs.folder import RunFolder
from sanilens.runs.jobs import cancel, error, is_alive, start, status
from sanilens.runs.log import RunLog, recent_events
from sanilens.unlearn.plan import Plan, Repair


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    folder.root.mkdir()
    return folder


def now(run: RunFolder) -> str:
    return status(run, recent_events(run))


def test_status_follows_lock_process_and_events(run: RunFolder) -> None:
    assert now(run) == "waiting"
    run.process_file.write_text(json.dumps({"pid": os.getpid(), "started": time.time() - 1}))
    assert now(run) == "starting"
    assert is_alive(run)
    log = RunLog(run)
    log.append("started", plan="0" * 64)
    with run.locked():
        assert now(run) == "running"
        cancel(run)
        assert now(run) == "stopping"
    assert now(run) == "killed"
    log.append("cancelled")
    assert now(run) == "cancelled"
    log.append("finished")
    assert now(run) == "finished"


def test_an_old_process_number_counts_for_nothing(run: RunFolder) -> None:
    run.process_file.write_text(json.dumps({"pid": os.getpid(), "started": time.time() - 3600}))
    assert now(run) == "waiting"
    run.process_file.write_text(json.dumps({"pid": 2**22 + 1, "started": time.time()}))
    assert not is_alive(run)


def test_only_our_own_message_is_read_from_the_log(run: RunFolder) -> None:
    RunLog(run).append("started", plan="0" * 64)
    run.log_file.write_text("Traceback (most recent call last):\nValueError: 'Ana Ruiz'\n")
    assert error(run) is None
    assert now(run) == "killed"
    run.log_file.write_text("Before: measured\nsanilens: corpus: notes has changed.\n")
    assert error(run) == "corpus: notes has changed."
    assert now(run) == "failed"


def wait_for(condition: Callable[[], bool], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.1)


@pytest.mark.slow
def test_started_followed_cancelled_and_resumed(tiny_plan: Plan, run: RunFolder) -> None:
    plan = tiny_plan.model_copy(update={"repair": Repair(epochs=40, batch_size=4)})

    def seen(kind: str) -> bool:
        return any(event["event"] == kind for event in recent_events(run))

    start(run, plan)
    assert now(run) in ("starting", "running")
    with pytest.raises(RunError, match="executed already"):
        start(run, plan)
    wait_for(lambda: seen("step"))
    cancel(run)
    wait_for(lambda: not run.is_running())
    assert now(run) == "cancelled"
    assert error(run) is None
    with pytest.raises(RunError, match="another plan"):
        start(run, tiny_plan)
    start(run, plan)
    wait_for(lambda: not is_alive(run))
    assert now(run) == "finished"
    assert {"before", "after"} <= load_arms(run.arms).keys()


@pytest.mark.slow
def test_a_failure_is_told_in_one_message(tiny_plan: Plan, run: RunFolder) -> None:
    wrong = tiny_plan.corpus.model_copy(update={"sha256": "0" * 64})
    start(run, tiny_plan.model_copy(update={"corpus": wrong}))
    wait_for(lambda: not is_alive(run))
    assert now(run) == "failed"
    assert "has changed since the plan was made" in (error(run) or "")
