"""Files that are whole or absent, whenever the process is killed, and that their owner alone reads.

Modes are set outright, since a umask may take them away or leave them open.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

_UNFINISHED = ".part"


def write_file(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file in the same folder, then move it into place."""
    private_folder(path.parent)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=_UNFINISHED, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        temporary.chmod(0o600)  # `write` may have made the file anew
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
        _settle(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    write_file(path, lambda temporary: _fill(temporary, text))


def private_folder(folder: Path) -> Path:
    """Make a folder that only its owner can read; one that is there already stays as it is."""
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    return folder


def private(path: str, flags: int) -> int:
    """An `opener` for `open`: a new file is its owner's alone."""
    return os.open(path, flags, 0o600)


def unfinished(folder: Path) -> Iterator[Path]:
    """The temporary files that a kill left in a folder."""
    if folder.is_dir():
        yield from folder.glob(f".*{_UNFINISHED}")


def _fill(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _settle(folder: Path) -> None:
    """Write the folder itself to disk, or a power cut takes the name away again."""
    with suppress(OSError):  # some network file systems cannot
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
