"""Audits kept between sessions: the same model, texts and settings are not asked twice.

Each lies under a hash of all that decides it, as kept arms do (runs/kept_arms.py): figures and ids,
no text. A file's first line is the SHA-256 of the rest, so that a damaged one is noticed.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from sanilens.atomic import write_text
from sanilens.audit.verdicts import SpanVerdict
from sanilens.corpus.records import Record, fingerprint
from sanilens.errors import IntegrityError
from sanilens.kept import make_room, used
from sanilens.model.language_model import LanguageModel
from sanilens.runs.folder import open_plain
from sanilens.runs.kept_arms import made_with
from sanilens.unlearn.plan import AuditSettings

MOST_BYTES = 256 * 2**20
_LARGEST = 64 * 2**20
# A kept file says minus infinity where nothing can be asked, and nan where there was no token.
_FORM = ConfigDict(frozen=True, extra="forbid", strict=True, ser_json_inf_nan="constants")


class KeptAudit(BaseModel):
    """The verdict on every span of some records, in their order."""

    model_config = _FORM

    verdicts: tuple[SpanVerdict, ...]


class KeptPerplexity(BaseModel):
    """Perplexity by the texts it was measured on; nan where they have no token."""

    model_config = _FORM

    perplexity: Mapping[str, float]


Kept = TypeVar("Kept", KeptAudit, KeptPerplexity)


def audit_key(
    kind: type[BaseModel],
    model: LanguageModel,
    texts: Sequence[Sequence[Record]],
    settings: AuditSettings | None = None,
    *,
    near_misses: bool = True,
) -> str:
    """SHA-256 of all that decides what is kept.

    Args:
        kind: what is kept.
        model: as it was loaded.
        texts: what it is asked about.
        settings: how it is asked; None where that is no question.
        near_misses: whether these are looked for.
    """
    parts = {
        "kind": kind.__name__,
        "model": [model.fingerprint, model.opening],
        "texts": [fingerprint(own) for own in texts],
        "settings": settings.model_dump(mode="json") if settings else None,
        "near_misses": near_misses,
        **made_with(model),
    }
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
    if digest.decode(errors="replace") != hashlib.sha256(text).hexdigest():
        raise IntegrityError("A kept audit has changed since it was written.")
    try:
        found = kind.model_validate_json(text)
    except ValidationError as error:
        raise IntegrityError("A kept audit is of another form.") from error
    used(path)
    return found


def keep(folder: Path, key: str, found: KeptAudit | KeptPerplexity) -> None:
    """Keep it, unless it is so large that reading it would not be cheaper than measuring."""
    text = found.model_dump_json()
    if len(text) > _LARGEST // 2:
        return
    path = folder / f"{key}.json"
    with suppress(OSError):  # a full disk costs the next session's time, not this one's result
        write_text(path, f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}")
        make_room(folder, MOST_BYTES, path)
