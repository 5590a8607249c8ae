"""The log of reveals: one chain, whoever writes to it."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from sanilens.runs.events import read_events
from sanilens.ui import masking, state

_REVEALS = """
import os
from types import SimpleNamespace
from sanilens.ui import masking, state

os.umask(0)
state.session_id = lambda: "s"
state.set_revealed = lambda value: None
opened = SimpleNamespace(model=SimpleNamespace(fingerprint="m"), corpus_fingerprint="c")
for _ in range(30):
    masking.record_reveal(opened)
"""


@pytest.mark.slow
def test_two_servers_write_one_chain(workspace: Path) -> None:
    servers = [subprocess.Popen([sys.executable, "-c", _REVEALS]) for _ in range(2)]
    assert [server.wait(timeout=120) for server in servers] == [0, 0]
    log = workspace / "reveals.jsonl"
    events = read_events(log)
    assert [event["n"] for event in events] == [*range(60)]
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_line_cut_by_a_kill_is_dropped(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "session_id", lambda: "s")
    monkeypatch.setattr(state, "set_revealed", lambda value: None)
    opened = SimpleNamespace(model=SimpleNamespace(fingerprint="m"), corpus_fingerprint="c")
    log = workspace / "reveals.jsonl"
    masking.record_reveal(opened)  # pyright: ignore[reportArgumentType]
    whole = log.read_bytes()
    log.write_bytes(whole + whole[: len(whole) // 2])
    masking.record_reveal(opened)  # pyright: ignore[reportArgumentType]
    assert [event["n"] for event in read_events(log)] == [0, 1]
