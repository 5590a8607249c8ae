"""Rows that a long bench keeps in a folder, so that a cut run goes on; and what a seed decides."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from sanilens.errors import RunError

Kept = TypeVar("Kept", bound=BaseModel)


def read_kept(path: Path | None, kind: type[Kept]) -> Kept | None:
    """What was kept in a file; None if nothing was.

    Raises:
        RunError: if the file holds something else.
    """
    if path is None or not path.exists():
        return None
    try:
        return kind.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise RunError(
            f"{path.name} holds no rows of this bench, or another version's. Give another folder."
        ) from error


def decided_sha256(rows: Iterable[BaseModel], times: set[str]) -> str:
    """SHA-256 of rows without their fields of `times`: of all that a seed decides."""
    decided = [row.model_dump(exclude=times) for row in rows]
    return hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()
