"""What was measured, kept under a hash of all that decides it: figures and ids, no text.

A file's first line is the SHA-256 of its key and of the rest, so that a file that was damaged, or
that another one was put in the place of, is noticed.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from sanilens.atomic import write_text
from sanilens.errors import IntegrityError
from sanilens.kept import make_room, used
from sanilens.runs.folder import open_plain

_LARGEST = 64 * 2**20

Kept = TypeVar("Kept", bound=BaseModel)


def key_of(parts: Mapping[str, Any]) -> str:
    """SHA-256 of all that decides a result, as JSON has it."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def read_kept(folder: Path, key: str, kind: type[Kept]) -> Kept | None:
    """What is kept under a key; None if nothing is.

    Raises:
        IntegrityError: if the file is not as it was written.
    """
    path = folder / f"{key}.json"
    if not path.exists():
        return None
    with open_plain(path) as file:
        digest, _, text = file.read(_LARGEST).partition(b"\n")
    if digest.decode(errors="replace") != _digest(key, text):
        raise IntegrityError("What was kept of an earlier measurement has changed since.")
    try:
        found = kind.model_validate_json(text)
    except ValidationError as error:
        raise IntegrityError("What was kept of an earlier measurement has another form.") from error
    used(path)
    return found


def keep(folder: Path, key: str, found: BaseModel, most: int) -> None:
    """Keep it, unless it is so large that reading it would not be cheaper than measuring.

    Args:
        folder: holds nothing that cannot be measured again.
        key: of all that decides it.
        found: what was measured.
        most: bytes of all that the folder keeps; what was of no use for longest goes first.
    """
    text = found.model_dump_json()
    if len(text) > _LARGEST // 2:
        return
    path = folder / f"{key}.json"
    with suppress(OSError):  # a full disk costs the next session's time, not this one's result
        write_text(path, f"{_digest(key, text.encode())}\n{text}")
        make_room(folder, most, path)


def _digest(key: str, text: bytes) -> str:
    return hashlib.sha256(key.encode() + b"\n" + text).hexdigest()
