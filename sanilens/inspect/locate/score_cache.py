"""Scores kept on disk under a hash of all that decides them, so that a second look is instant.

A file holds scores and a count, no text and no name of a span; the scope is in its hash alone.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from sanilens.atomic import write_file
from sanilens.audit.targets import Scope, find_targets
from sanilens.corpus.records import Record, fingerprint
from sanilens.inspect.locate.localisers import Localiser, Settings
from sanilens.inspect.locate.scores import UnitScores
from sanilens.model.language_model import LanguageModel

# Raised when a localiser's scores change: what was kept before is then measured anew.
_VERSION = 2


def cached_scores(
    folder: Path | None,
    model: LanguageModel,
    records: Sequence[Record],
    scope: Scope,
    localiser: Localiser,
    settings: Settings,
) -> UnitScores:
    """The localiser's scores: read from `folder`, or measured and kept there.

    Args:
        folder: where scores are kept; None measures always.
        subject, records, scope: what is asked.
        localiser, settings: how.

    Raises:
        PlanError: if no span is in scope.
    """
    if folder is None:
        return localiser.score(find_targets(model, records, scope), settings)
    file = _file(folder, model, records, scope, localiser, settings)
    if (kept := _read(file, model, localiser, settings)) is not None:
        return kept
    scores = localiser.score(find_targets(model, records, scope), settings)
    tensors = {"values": scores.values.contiguous(), "targets": torch.tensor(scores.targets)}
    write_file(file, lambda path: save_file(tensors, path))
    return scores


def kept_scores(
    folder: Path,
    model: LanguageModel,
    records: Sequence[Record],
    scope: Scope,
    localiser: Localiser,
    settings: Settings,
) -> UnitScores | None:
    """What `cached_scores` would find there; None where it would have to measure."""
    file = _file(folder, model, records, scope, localiser, settings)
    return _read(file, model, localiser, settings)


def _file(
    folder: Path,
    model: LanguageModel,
    records: Sequence[Record],
    scope: Scope,
    localiser: Localiser,
    settings: Settings,
) -> Path:
    return folder / f"{_key(model, records, scope, localiser, settings)}.safetensors"


def _key(
    model: LanguageModel,
    records: Sequence[Record],
    scope: Scope,
    localiser: Localiser,
    settings: Settings,
) -> str:
    parts = {
        "version": _VERSION,
        "model": model.fingerprint,
        "records": fingerprint(records),
        "scope": [sorted(scope.spans), sorted(scope.labels), sorted(scope.subjects)],
        "localiser": localiser.name,
        "kind": settings.kind,
        "seed": settings.seed,
    }
    if model.opening is not None:
        parts["opening"] = model.opening
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _read(
    file: Path, model: LanguageModel, localiser: Localiser, settings: Settings
) -> UnitScores | None:
    """What the file holds; None if it is missing or broken, and the scores are measured again."""
    try:
        tensors = load_file(file)
        values, targets = tensors["values"], int(tensors["targets"])
    except (OSError, SafetensorError, KeyError):
        return None
    if values.shape != (model.sites.n_layers, model.sites.count(settings.kind)):
        return None
    return UnitScores(localiser.name, settings.kind, values, targets)
