"""Arms kept between runs: the same model at the same exam is not measured twice.

What a plan leaves as it is (before, base, reference, look-alikes), and what deleting somebody else
does, is the same in every request on a model. Each is kept under a hash of all that decides it: the
models, the texts, the settings, our own code, the libraries, the number of threads. A kept arm's
files are hashed, and what is not as it was written is measured anew.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sanilens.atomic import private_folder, write_file, write_text
from sanilens.audit.metrics.metric import Exam
from sanilens.audit.perplexity import Perplexity
from sanilens.corpus.questions import questions_fingerprint
from sanilens.corpus.records import fingerprint
from sanilens.errors import IntegrityError
from sanilens.kept import make_room, used
from sanilens.model.language_model import LanguageModel
from sanilens.runs.arms import Arm, ArmName, load_arm
from sanilens.runs.events import Sha256
from sanilens.runs.folder import open_plain
from sanilens.runs.kept_results import key_of
from sanilens.unlearn.plan import Plan

MOST_BYTES = 256 * 2**20
_RECORD, _LONGEST, _LARGEST = "kept.json", 65536, MOST_BYTES
_LIBRARIES = ("torch", "transformers", "tokenizers", "numpy", "pandas", "pyarrow")
_ENDINGS = ("parquet", "json")


class _Record(BaseModel):
    """What is told of a kept arm besides its files.

    files: their SHA-256. nats, tokens: of the unseen texts, which other arms are held against.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    files: dict[str, Sha256]
    nats: float | None
    tokens: Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class KeptArm:
    """An arm as it was measured before, its perplexity on unseen texts, unrounded, its files."""

    arm: Arm
    unseen: Perplexity
    files: tuple[Path, ...]


def arm_key(
    name: ArmName,
    model: LanguageModel,
    exam: Exam,
    metrics: Sequence[str],
    neutral: int,
    plan: Plan | None = None,
) -> str:
    """SHA-256 of all that decides an arm.

    Args:
        name: the arm's.
        model: as it was loaded.
        exam: what it is asked.
        metrics: what is measured.
        neutral: of how many records the wording's perplexity is taken.
        plan: what was done to a copy of the model before; None for nothing.
    """
    parts = {
        **deciding(model, exam),
        "arm": name,
        "metrics": list(metrics),
        "neutral": neutral,
        "plan": plan.sha256 if plan else None,
    }
    return key_of(parts)


def deciding(model: LanguageModel, exam: Exam) -> dict[str, Any]:
    """All that decides what a model answers at an exam, as JSON has it."""
    beside = (exam.before, exam.base, exam.reference)
    return {
        "model": [model.fingerprint, model.opening],
        "beside": [[own.fingerprint, own.opening] if own else None for own in beside],
        "texts": [fingerprint(own) for own in (exam.records, exam.unseen, exam.lookalike)],
        "questions": questions_fingerprint(exam.questions),
        "asked": [exam.prefix_tokens, exam.sampler.temperature, exam.sampler.top_k, exam.seed],
        **made_with(model),
    }


def made_with(model: LanguageModel) -> dict[str, Any]:
    """What decides a figure's last digits: our own code, the libraries, the device."""
    return {
        "code": _code(),
        "libraries": {own: version(own) for own in _LIBRARIES},
        "device": [str(model.device), torch.get_num_threads()],
    }


@cache
def _code() -> str:
    """SHA-256 of our own code, but for what shows it."""
    package, found = Path(__file__).parents[1], hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        if path.relative_to(package).parts[0] not in ("ui", "cli"):
            found.update(path.read_bytes())
    return found.hexdigest()


def take_arm(folder: Path, key: str, name: ArmName, into: Path) -> KeptArm | None:
    """Copy the arm that is kept under a key; None, and nothing, if there is none or a damaged one.

    Args:
        folder: where arms are kept.
        key: of `arm_key`.
        name: the arm's.
        into: the run's folder of arms.
    """
    entry = folder / key
    if not entry.is_dir():
        return None
    copies = _files(into, name)
    try:
        with open_plain(entry / _RECORD) as file:
            record = _Record.model_validate_json(file.read(_LONGEST))
        for kept, copy in zip(_files(entry, name), copies, strict=True):
            with open_plain(kept) as file:
                content = file.read(_LARGEST)
            write_file(copy, partial(_fill, content=content))
        if _digests(into, name) != record.files:
            raise IntegrityError(f"{entry.name}: what was kept has changed.")
        arm = load_arm(into, name)
    except (OSError, IntegrityError, ValidationError):
        for copy in copies:
            copy.unlink(missing_ok=True)
        return None
    used(entry)
    nats = float("nan") if record.nats is None else record.nats
    return KeptArm(arm, Perplexity(nats, record.tokens), copies)


def _fill(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def keep_arm(folder: Path, key: str, name: ArmName, made: Path, unseen: Perplexity | None) -> None:
    """Keep the arm whose files lie in `made`; whole or not at all."""
    temporary = Path(tempfile.mkdtemp(dir=private_folder(folder), prefix=".new-"))
    try:
        for file in _files(made, name):
            shutil.copyfile(file, temporary / file.name)
            (temporary / file.name).chmod(0o600)
        told = (unseen.nats, unseen.tokens) if unseen and unseen.tokens else (None, 0)
        record = _Record(files=_digests(temporary, name), nats=told[0], tokens=told[1])
        write_text(temporary / _RECORD, record.model_dump_json())
        shutil.rmtree(folder / key, ignore_errors=True)  # a damaged one, if any
        os.replace(temporary, folder / key)
    except OSError:  # another process has put it there
        pass
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    make_room(folder, MOST_BYTES, folder / key)


def _files(folder: Path, name: ArmName) -> tuple[Path, ...]:
    return tuple(folder / f"{name}.{ending}" for ending in _ENDINGS)


def _digests(folder: Path, name: ArmName) -> dict[str, str]:
    found: dict[str, Any] = {}
    for file in _files(folder, name):
        with open_plain(file) as opened:
            found[file.name] = hashlib.file_digest(opened, "sha256").hexdigest()
    return found
