"""An upload is gone when its import has ended, however it ended."""

import multiprocessing
import os
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from sanilens.ui.case.opening import clear_uploads, reading_folder


def read_for_ever(corpora: Path, started: Connection) -> None:
    with reading_folder(corpora) as folder:
        (folder / "notes.jsonl").write_text("Quillon Zarth")
        started.send(True)
        time.sleep(600)


@pytest.fixture
def corpora(workspace: Path) -> Path:
    folder = workspace / "corpora"
    folder.mkdir()
    return folder


def killed_import(corpora: Path) -> None:
    # Forked: a new Python would first import the app for seconds.
    fork = multiprocessing.get_context("fork")
    mine, theirs = fork.Pipe()
    process = fork.Process(target=read_for_ever, args=(corpora, theirs), daemon=True)
    process.start()
    assert mine.recv()
    process.kill()
    process.join()
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
