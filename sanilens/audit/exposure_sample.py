"""Exposure of a sample of one label's spans, in the corpus and in its look-alike control."""

from collections.abc import Sequence
from statistics import median

import numpy as np

from sanilens.audit.exposure import Exposure, exposure
from sanilens.audit.extraction import Progress
from sanilens.audit.passages import Passage, Target, make_passages
from sanilens.corpus.records import Record
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.subject import SubjectModel


def sample_exposure(
    subject: SubjectModel,
    records: Sequence[Record],
    label: str,
    *,
    spans: int = 12,
    count: int = 64,
    seed: int = 0,
    hooks: Hooks = NO_HOOKS,
    progress: Progress | None = None,
) -> list[Exposure]:
    """Exposure of up to `spans` spans of a label, drawn by the seed; those with a prefix only."""
    holding = [r for r in records if any(s.label == label for s in r.spans)]
    order = np.random.default_rng(seed).permutation(len(holding))[:spans]
    found: list[Exposure] = []
    for number, i in enumerate(order, start=1):
        if (place := _first(subject, holding[i], label)) is not None:
            found.append(exposure(subject, *place, count=count, seed=seed, hooks=hooks))
        if progress:
            progress(number, len(order))
    return found


def median_bits(found: Sequence[Exposure]) -> float | None:
    """The median exposure in bits; None where nothing was measured."""
    return median(e.bits for e in found) if found else None


def _first(subject: SubjectModel, record: Record, label: str) -> tuple[Passage, Target] | None:
    """The record's first span of that label with something before it."""
    for passage in make_passages(subject, [record]):
        for target in passage.targets:
            if target.span.span.label == label and target.start >= 1:
                return passage, target
    return None
