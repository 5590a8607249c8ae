"""The event log: a chain that breaks wherever it is touched, and survives a torn last line."""

import json
from pathlib import Path

import pytest

from sanilens.errors import RunError
from sanilens.runs.events import EventLog, read_events


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    events = EventLog(path)
    for step in range(5):
        events.append("step", step=step)
    return path


def test_events_round_trip(log: Path) -> None:
    assert [e["step"] for e in read_events(log)] == list(range(5))


def test_a_torn_last_line_is_dropped_and_the_chain_goes_on(log: Path) -> None:
    with log.open("a") as file:
        file.write('{"event": "st')
    EventLog(log).append("step", step=5)
    assert [e["step"] for e in read_events(log)] == list(range(6))


@pytest.mark.parametrize("line", range(5))
def test_a_changed_line_is_found(log: Path, line: int) -> None:
    lines = log.read_text().splitlines(keepends=True)
    event = json.loads(lines[line])
    lines[line] = json.dumps(event | {"step": 99}, sort_keys=True) + "\n"
    log.write_text("".join(lines))
    with pytest.raises(RunError, match=f"line {line + 1}"):
        read_events(log)


@pytest.mark.parametrize("line", range(4))
def test_a_dropped_line_is_found(log: Path, line: int) -> None:
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(lines[:line] + lines[line + 1 :]))
    with pytest.raises(RunError, match=f"line {line + 1}"):
        read_events(log)
