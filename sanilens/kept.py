"""What was measured and can be measured again is kept in folders that do not grow without bound."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def used(entry: Path) -> None:
    """Remember that a kept file or folder was of use just now."""
    with suppress(OSError):
        os.utime(entry)


def kept_bytes(folder: Path) -> int:
    """How much a folder keeps, in bytes."""
    return sum(size for _, size, _ in _entries(folder)) if folder.is_dir() else 0


def make_room(folder: Path, most: int, stays: Path) -> None:
    """Remove what was of no use for longest, until a folder's files and folders fit.

    Args:
        folder: holds nothing that cannot be measured again.
        most: bytes of all together.
        stays: the newest, which stays whatever its size.
    """
    entries = sorted(_entries(folder))
    size = sum(own for _, own, _ in entries)
    for _, own, path in entries:
        if size <= most:
            return
        if path == stays:
            continue
        with suppress(OSError):  # another process was faster
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        size -= own


def _entries(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """When each was of use last, its bytes, and its path."""
    for path in folder.iterdir():
        with suppress(OSError):
            if path.is_symlink():
                continue
            files = [f for f in path.iterdir() if f.is_file()] if path.is_dir() else [path]
            yield path.stat().st_mtime, sum(f.stat().st_size for f in files), path
