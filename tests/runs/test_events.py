"""The event log: a chain that breaks wherever it is touched, and survives a torn last line."""

import json
import os
from pathlib import Path

import pytest

from sanilens.errors import IntegrityError
from sanilens.runs import events as module
from sanilens.runs.events import EventLog, follow_events, read_events


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
    with pytest.raises(IntegrityError, match=f"line {line + 1}"):
        read_events(log)


@pytest.mark.parametrize("line", range(4))
def test_a_dropped_line_is_found(log: Path, line: int) -> None:
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(lines[:line] + lines[line + 1 :]))
    with pytest.raises(IntegrityError, match=f"line {line + 1}"):
        read_events(log)


def test_every_flipped_byte_is_found_but_for_the_last_newline(log: Path) -> None:
    """The last line without its end reads as cut; a run's head tells (test_integrity)."""
    content = log.read_bytes()
    for place in range(len(content) - 1):
        log.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(IntegrityError):
            read_events(log)


def test_a_follower_reads_only_what_was_added(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chained: list[int] = []
    real = module._chained
    monkeypatch.setattr(
        module, "_chained", lambda before, event: chained.append(event["n"]) or real(before, event)
    )
    assert len(follow_events(log)) == 5
    assert follow_events(log) == read_events(log)
    chained.clear()
    assert len(follow_events(log)) == 5
    assert chained == []
    EventLog(log).append("step", step=5)
    chained.clear()
    assert [e["step"] for e in follow_events(log)] == list(range(6))
    assert chained == [5]


def test_a_follower_waits_for_a_line_to_be_whole(log: Path) -> None:
    follow_events(log)
    whole = log.read_bytes()
    EventLog(log).append("step", step=5)
    more = log.read_bytes()
    log.write_bytes(more[: len(whole) + 9])
    assert len(follow_events(log)) == 5
    with log.open("ab") as file:
        file.write(more[len(whole) + 9 :])
    assert len(follow_events(log)) == 6


def test_a_follower_notices_another_file_and_a_change(log: Path) -> None:
    follow_events(log)
    content = log.read_bytes()
    log.write_bytes(content.replace(b'"step": 3', b'"step": 4'))
    os.utime(log, ns=(0, 1))
    with pytest.raises(IntegrityError, match="line 4"):
        follow_events(log)
    log.write_bytes(b"".join(content.splitlines(keepends=True)[:2]))
    assert len(follow_events(log)) == 2
    log.unlink()
    assert follow_events(log) == []
    EventLog(log).append("step", step=0)
    assert len(follow_events(log)) == 1


def test_a_curve_of_an_earlier_version_is_read() -> None:
    """Spans extracted were called `said` in its log."""
    point = {"event": "curve", "arm": "after", "step": 1, "of": 9, "perplexity": 2.0}
    assert module.extracted_of({**point, "said": 4}) == 4
    assert module.extracted_of({**point, "extracted": 4}) == 4
