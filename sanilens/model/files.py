"""The files of a model's folder: its own, regular, whole; looked at before anything opens them.

A folder may come from anybody. A link or an index can lead out of it, a pipe can hang whoever
reads it, and a checkout without its large files holds pointers instead.
"""

import json
import math
from itertools import islice
from pathlib import Path
from typing import Any

from sanilens.errors import ModelError
from sanilens.model.hub import in_cache

MAX_ENTRIES = 10_000
MAX_JSON_BYTES = 4 * 2**20
_LFS = b"version https://git-lfs"


def check_entries(folder: Path) -> None:
    """Refuse a folder in which a name stands for anything but a file or a folder of its own.

    Raises:
        ModelError: naming the first such entry.
    """
    try:
        entries = list(islice(folder.iterdir(), MAX_ENTRIES + 1))
    except OSError as error:
        raise ModelError(f"{folder.name} cannot be read ({type(error).__name__}).") from error
    if len(entries) > MAX_ENTRIES:
        raise ModelError(
            f"{folder.name}: more than {MAX_ENTRIES} files. Give the model's own folder."
        )
    for path in entries:
        if path.suffix or not path.is_dir():
            own_file(folder, path.name)


def own_file(folder: Path, name: str) -> Path:
    """A regular file that lies in `folder`, or in a folder of it; never a pointer to one.

    Raises:
        ModelError: saying what stands there instead.
    """
    shown, path = f"{folder.name}: {name[:80]}", folder / name
    try:
        if not path.is_symlink() and not path.exists():
            raise ModelError(f"{shown} is missing. Copy the whole folder again.")
        if not path.resolve().is_relative_to(_home(folder)):
            raise ModelError(f"{shown} leads out of the folder. Put the file itself there.")
        if not path.is_file():
            raise ModelError(f"{shown} is no regular file. Copy the model's folder again.")
        with path.open("rb") as handle:
            start = handle.read(len(_LFS))
    except (OSError, ValueError, RuntimeError) as error:  # no permission, no name, a ring of links
        raise ModelError(f"{shown} cannot be read ({type(error).__name__}).") from error
    if start == _LFS:
        raise ModelError(
            f"{shown} is a pointer of Git LFS, not the file. Run `git lfs pull` in the repository."
        )
    return path


def _home(folder: Path) -> Path:
    """Where a folder's files may lie: in it; the hub's cache keeps them in `blobs` and links."""
    return folder.parent.parent.resolve() if in_cache(folder) else folder.resolve()


def read_object(folder: Path, name: str) -> dict[str, Any]:
    """A JSON file that holds one object of finite numbers.

    Raises:
        ModelError: if it is missing, too large, or anything else.
    """
    path = own_file(folder, name)
    if path.stat().st_size > MAX_JSON_BYTES:
        raise ModelError(
            f"{folder.name}: {name} is larger than {MAX_JSON_BYTES >> 20} MB. Use the file that "
            "save_pretrained wrote."
        )
    try:
        found = json.loads(
            path.read_text(encoding="utf-8"), parse_constant=_refuse, parse_float=_finite
        )
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"{folder.name}: {name} is not valid JSON of finite numbers. Save the model again."
        ) from error
    if not isinstance(found, dict):
        raise ModelError(f"{folder.name}: {name} must hold one JSON object. Save the model again.")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError("a number beyond what a float can hold")
    return number
