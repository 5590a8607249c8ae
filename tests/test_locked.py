"""A locked app shows everything and changes nothing, whichever page asks."""

from pathlib import Path

import pytest

from sanilens.errors import RunError
from sanilens.locked import VARIABLE, locked
from sanilens.runs.folder import RunFolder
from sanilens.runs.former import undo
from sanilens.runs.jobs import Job, start
from sanilens.runs.workspace import keep_records
from sanilens.unlearn.plan import Plan
from tests.conftest import record


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty workspace, locked."""
    monkeypatch.setenv(VARIABLE, "1")
    monkeypatch.setenv("SANILENS_HOME", str(tmp_path))
    return tmp_path


def test_it_is_open_unless_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, expected in (("", False), ("0", False), ("1", True)):
        monkeypatch.setenv(VARIABLE, value)
        assert locked() is expected


def test_nothing_starts_and_nothing_is_kept(closed: Path) -> None:
    text = record("MRN 4471203", ("4471203", "MRN"))
    for change in (
        lambda: start(RunFolder(closed / "run"), Plan.model_construct()),
        lambda: Job(closed / "job").start(["audit"]),
        lambda: keep_records([text], "notes"),
        lambda: undo(RunFolder(closed / "run"), closed / "out"),
    ):
        with pytest.raises(RunError, match="locked"):
            change()
    assert not list(closed.rglob("*.jsonl"))
    assert not (closed / "run").exists()
