"""Runs by name: kept beside the run; deleted only if nothing stands on it."""

from pathlib import Path

import pytest

from sanilens.errors import IntegrityError, RunError
from sanilens.runs.folder import RunFolder
from sanilens.runs.identity import (
    Identity,
    delete_run,
    read_identity,
    save_identity,
    what_goes,
)
from sanilens.runs.integrity import check
from sanilens.unlearn.plan import Plan
from tests.runs.test_comparison import SOURCE


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SANILENS_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def run(workspace: Path) -> RunFolder:
    found = RunFolder(workspace / "runs" / "a")
    found.prepare(Plan(model=SOURCE, corpus=SOURCE))
    return found


def test_a_name_is_kept_for_its_owner_alone_and_changes_nothing(run: RunFolder) -> None:
    assert read_identity(run) == Identity()
    before = check(run)
    save_identity(run, mine := Identity(name="Ward, first try", note="seed 0", archived=True))
    assert read_identity(run) == mine
    assert run.identity_file.stat().st_mode & 0o777 == 0o600
    assert check(run) == before


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"name": 3}',
        '{"name": "a", "more": 1}',
        '{"name": "%s"}' % ("a" * 81),
        '{"note": "%s"}' % ("a" * 2_000_000),
        '{"archived": "yes"}',
    ],
)
def test_a_damaged_one_is_refused_in_words(run: RunFolder, content: str) -> None:
    run.identity_file.write_text(content)
    with pytest.raises(IntegrityError, match="is damaged"):
        read_identity(run)


def test_a_link_is_not_read(run: RunFolder, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text('{"name": "a"}')
    run.identity_file.symlink_to(other)
    with pytest.raises(IntegrityError):
        read_identity(run)


def test_deleting_says_what_goes_and_leaves_nothing(run: RunFolder) -> None:
    run.model.mkdir()
    (run.model / "weights").write_bytes(b"0" * 2_000_000)
    assert what_goes(run).startswith("its plan, log and figures and its model: 2.0 MB")
    delete_run(run)
    assert not run.root.exists()


def test_a_run_at_work_or_under_another_is_not_deleted(run: RunFolder, workspace: Path) -> None:
    with run.locked(), pytest.raises(RunError, match="Cancel it first"):
        delete_run(run)
    assert run.root.exists()
    kept = workspace / "elsewhere"
    run.root.rename(kept)
    run.root.symlink_to(kept)
    with pytest.raises(RunError, match="is a link"):
        delete_run(run)
    assert kept.exists()
