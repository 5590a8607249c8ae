"""Reveals: of one record, for a while, and one chained log of them, whoever writes to it."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st

from sanilens.audit.continuations import Identifiers
from sanilens.bundled import Sources
from sanilens.runs.events import read_events
from sanilens.runs.record import record_carried_out, record_handed_over, record_planned
from sanilens.ui import revealing, state
from tests.conftest import record
from tests.ui.tiny_case import make_plan, open_page

_REVEALS = """
import os
from types import SimpleNamespace
from sanilens.audit.continuations import Identifiers
from sanilens.ui import revealing, state

os.umask(0)
state.session_id = lambda: "s"
state.reveal = lambda record: None
revealing.identifiers = lambda opened: Identifiers.of([])
opened = SimpleNamespace(model=SimpleNamespace(fingerprint="m"), corpus_fingerprint="c")
for _ in range(30):
    revealing.record_reveal(opened, "r-1", revealing.REASONS[0])
"""


@pytest.mark.slow
def test_two_servers_write_one_chain(workspace: Path) -> None:
    servers = [subprocess.Popen([sys.executable, "-c", _REVEALS]) for _ in range(2)]
    assert [server.wait(timeout=120) for server in servers] == [0, 0]
    log = workspace / "reveals.jsonl"
    events = read_events(log)
    assert [event["n"] for event in events] == [*range(60)]
    assert log.stat().st_mode & 0o777 == 0o600


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a reveal needs of a case; the session's state is a plain dictionary."""
    known = Identifiers.of([record("MRN 4471203 of Ana Ruiz", ("4471203", "MRN"))])
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(revealing, "identifiers", lambda opened: known)
    return SimpleNamespace(model=SimpleNamespace(fingerprint="m"), corpus_fingerprint="c")


def test_a_line_cut_by_a_kill_is_dropped(workspace: Path, opened: Any) -> None:
    log = workspace / "reveals.jsonl"
    revealing.record_reveal(opened, "r-1", revealing.REASONS[0])
    whole = log.read_bytes()
    log.write_bytes(whole + whole[: len(whole) // 2])
    revealing.record_reveal(opened, "r-1", revealing.REASONS[0])
    assert [event["n"] for event in read_events(log)] == [0, 1]


def test_one_record_is_shown_for_a_while(
    workspace: Path, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not state.revealed("r-1")
    revealing.record_reveal(opened, "r-1", revealing.REASONS[1])
    assert state.revealed("r-1")
    assert not state.revealed("r-2")
    assert not state.revealed(None)
    now = state.time.time()
    monkeypatch.setattr(state.time, "time", lambda: now + state.REVEALED_FOR + 1)
    assert not state.revealed("r-1")
    assert state.reveals() == {}


def test_the_log_holds_who_when_and_why_and_no_identifier(workspace: Path, opened: Any) -> None:
    revealing.record_reveal(opened, "note of 4471203", revealing.REASONS[1])
    revealing.record_reveal(opened, "rare disease", revealing.REASONS[2], term=True)
    first, second = read_events(workspace / "reveals.jsonl")
    assert first["record"] == "note of ▒▒▒▒▒▒▒"
    assert second["record"] == "an indirect term"
    assert first["reason"] == revealing.REASONS[1]
    assert first["time"] > 0
    assert first["user"]
    content = (workspace / "reveals.jsonl").read_bytes()
    assert b"4471203" not in content
    assert b"rare" not in content
    assert (workspace / "reveals.jsonl").stat().st_mode & 0o777 == 0o600


def test_the_record_is_listed_in_words(tiny_case: Sources, workspace: Path) -> None:
    plan = make_plan(tiny_case)
    record_planned(plan)
    record_planned(plan.model_copy(update={"seed": 5, "subjects": ("p-001",)}))
    record_carried_out(plan, "gone")
    record_handed_over(plan, "4 bits, compressed-tensors", "0" * 64)
    app = open_page("record", tiny_case)
    assert not app.exception
    (table,) = (each.value for each in app.dataframe if "in words" in each.value.columns)
    rows = table.to_dict("records")
    assert [row["what"] for row in rows] == ["handed over", "carried out", "planned", "planned"]
    assert "4 bits" in rows[0]["in words"]
    assert rows[1]["in words"] == "gone"
    assert rows[2]["in words"] == f"changed since plan {plan.sha256[:8]}: seed, subjects"
    assert rows[2]["of"].endswith(", p-001")
    assert rows[3]["of"].endswith(", everyone")
