"""Files from the browser, and the folder where they lie while they are read.

The process that reads them holds a lock on that folder, which goes with it however it ends. So a
folder that nobody holds was left behind by a kill, and is cleared: before the next upload, and
when the server starts.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Protocol

from sanilens.runs.home import home_path

CORPUS_TYPES = ("jsonl", "ndjson", "json", "csv", "parquet", "txt")
TABLE_TYPES = ("csv", "parquet", "jsonl")


class Upload(Protocol):
    """A file from the browser."""

    name: str

    def getvalue(self) -> bytes:
        """Its content."""
        ...


@contextmanager
def reading_folder(corpora: Path) -> Iterator[Path]:
    """A folder inside `corpora` that is gone afterwards, and after a kill before the next one."""
    with ExitStack() as stack:
        # Under one lock, or another server might clear the folder before this one holds it.
        with _held(corpora):
            _clear(corpora)
            folder = Path(mkdtemp(dir=corpora))
            stack.enter_context(_held(folder))
        stack.callback(shutil.rmtree, folder)
        yield folder


def clear_uploads() -> None:
    """Remove what killed imports left in the workspace."""
    corpora = home_path() / "corpora"
    if corpora.is_dir():
        with _held(corpora):
            _clear(corpora)


def _clear(corpora: Path) -> None:
    for folder in corpora.iterdir():
        if folder.is_dir() and not folder.is_symlink():
            try:
                with _held(folder, wait=False):
                    shutil.rmtree(folder)
            except BlockingIOError:
                continue  # being read at this moment


@contextmanager
def _held(folder: Path, *, wait: bool = True) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)
