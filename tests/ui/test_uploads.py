"""An upload is gone when its import has ended, however it ended."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sanilens.ui.case.opening import clear_uploads, reading_folder

_IMPORT = """
import sys, time
from pathlib import Path
from sanilens.ui.case.opening import reading_folder

with reading_folder(Path(sys.argv[1])) as folder:
    (folder / "notes.jsonl").write_text("Quillon Zarth")
    print("read", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def corpora(workspace: Path) -> Path:
    folder = workspace / "corpora"
    folder.mkdir()
    return folder


def killed_import(corpora: Path) -> None:
    command = [sys.executable, "-c", _IMPORT, str(corpora)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "read\n"
        process.send_signal(signal.SIGKILL)
    assert [*corpora.rglob("notes.jsonl")]


def test_a_killed_import_is_cleared_at_the_next_start(corpora: Path) -> None:
    kept = corpora / "notes-0123456789ab.jsonl"
    kept.write_text("{}")
    killed_import(corpora)
    clear_uploads()
    assert [*corpora.rglob("*")] == [kept]


def test_and_before_the_next_upload(corpora: Path) -> None:
    killed_import(corpora)
    with reading_folder(corpora) as folder:
        assert [*corpora.rglob("*")] == [folder]
    assert not [*corpora.rglob("*")]


def test_what_is_being_read_is_left_alone(corpora: Path) -> None:
    with reading_folder(corpora) as folder:
        (folder / "notes.jsonl").touch()
        with reading_folder(corpora) as other:
            clear_uploads()
            assert (folder / "notes.jsonl").exists()
            assert other.exists()
    assert not [*corpora.rglob("*")]


def test_an_import_that_fails_leaves_nothing(corpora: Path) -> None:
    def read() -> None:
        with reading_folder(corpora) as folder:
            (folder / "notes.jsonl").touch()
            raise ValueError("no corpus")

    with pytest.raises(ValueError, match="no corpus"):
        read()
    assert not [*corpora.rglob("*")]


def test_no_workspace_nothing_to_clear(workspace: Path) -> None:
    clear_uploads()
    assert not [*workspace.iterdir()]


def test_only_the_owner_may_look(corpora: Path) -> None:
    before = os.umask(0)
    try:
        with reading_folder(corpora) as folder:
            assert folder.stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)
