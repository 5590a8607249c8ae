"""Attacks kept between runs: the same model at the same exam is not attacked twice.

What a plan leaves as it is (before, reference, base) is attacked alike in every run about the same
people: three quarters of the time that a full evidence takes. As with arms (runs/kept_arms.py) a
result is kept under a hash of all that decides it, and one that is not as it was written is none.
"""

import hashlib
import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from sanilens.atomic import private_folder, write_text
from sanilens.audit.attacks.attack import Attack
from sanilens.audit.attacks.result import AttackResult
from sanilens.audit.metrics.metric import Trial
from sanilens.corpus.records import fingerprint
from sanilens.errors import IntegrityError
from sanilens.kept import make_room, used
from sanilens.runs.events import Sha256
from sanilens.runs.folder import open_plain
from sanilens.runs.kept_arms import deciding

MOST_BYTES = 64 * 2**20
_LARGEST = 64 * 2**20


class _Kept(BaseModel):
    """A result under its key, and the SHA-256 of its own JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Sha256
    sha256: Sha256
    result: AttackResult


def attack_key(attack: Attack, trial: Trial) -> str:
    """SHA-256 of all that decides what an attack finds on a model that is read without hooks."""
    parts = {
        **deciding(trial.model, trial.exam),
        "attack": attack.name,
        "others": fingerprint(tuple(trial.exam.others)) if trial.exam.others else None,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def take_result(folder: Path, key: str) -> AttackResult | None:
    """What is kept under a key; None if there is nothing, or a damaged file."""
    path = folder / f"{key}.json"
    if not path.is_file():
        return None
    try:
        with open_plain(path) as file:
            kept = _Kept.model_validate_json(file.read(_LARGEST))
    except (IntegrityError, ValidationError):
        return None
    if kept.key != key or kept.sha256 != _digest(kept.result):
        return None
    used(path)
    return kept.result


def keep_result(folder: Path, key: str, result: AttackResult) -> None:
    """Keep what was found."""
    path = private_folder(folder) / f"{key}.json"
    kept = _Kept(key=key, sha256=_digest(result), result=result)
    write_text(path, kept.model_dump_json())
    make_room(folder, MOST_BYTES, path)


def _digest(result: AttackResult) -> str:
    return hashlib.sha256(result.model_dump_json().encode()).hexdigest()
