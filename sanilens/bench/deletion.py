"""The deletion curve of some localisers on one model and corpus, beside chance."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sanilens.corpus.records import Record
from sanilens.inspect.deletion import Deletion, DeletionCurve, Matched
from sanilens.inspect.localisers import Settings, find_localiser
from sanilens.inspect.targets import find_targets
from sanilens.model.subject import SubjectModel

Tell = Callable[[int, int], None]

# Shares of all neurons: dense where a plan would stay, far enough for the curve to end.
SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
# Where chance is compared at equal perplexity, and what rise of it candidates are compared at.
_MATCHED, _RISE = 0.4, 1.2


@dataclass(frozen=True, slots=True)
class DeletionResult:
    """Deletion curves.

    Attributes:
        recommended: of the candidates the one that leaves fewest spans where perplexity has risen
            by a fifth.
        before: the untouched model.
        curves: by localiser, its points.
        random: at each point of `recommended`, each of the draws of random units, as many in each
            layer.
        matched: `recommended` at two fifths of the neurons, and chance at the same perplexity.
    """

    recommended: str
    before: Deletion
    curves: dict[str, tuple[Deletion, ...]]
    random: tuple[tuple[Deletion, ...], ...]
    matched: Matched


def bench_deletion(
    subject: SubjectModel,
    records: Sequence[Record],
    unseen: Sequence[Record],
    names: Sequence[str],
    candidates: Sequence[str],
    *,
    draws: int = 5,
    seed: int = 0,
    tell: Tell = lambda *_: None,
) -> DeletionResult:
    """Zero more and more of the neurons that each localiser names, and measure what is left.

    Args:
        subject: the examined model.
        records: what it may say.
        unseen: notes for the perplexity.
        names: the localisers.
        candidates: those of which one is recommended, and chance is compared with it.
        draws: of random units at each point.
        seed: of the localisers.
        tell: hears of the points measured.
    """
    curve = DeletionCurve(subject, records, unseen)
    targets = find_targets(subject, records)
    every = list(dict.fromkeys((*candidates, *names)))
    scores = {n: find_localiser(n).score(targets, Settings(seed=seed)) for n in every}
    counts = [round(share * scores[every[0]].values.numel()) for share in SHARES]
    before = curve.located(scores[every[0]], 0)
    steps = len(counts) * (len(every) + 1) + 1
    curves: dict[str, tuple[Deletion, ...]] = {}
    for number, name in enumerate(every):
        points = []
        for at, count in enumerate(counts, start=1):
            points.append(curve.located(scores[name], count))
            tell(number * len(counts) + at, steps)
        curves[name] = tuple(points)
    recommended = min(candidates, key=lambda name: _left(before, curves[name]))
    random = []
    for at, count in enumerate(counts, start=1):
        random.append(tuple(curve.random(scores[recommended], count, draws)))
        tell(len(every) * len(counts) + at, steps)
    point = curves[recommended][SHARES.index(_MATCHED)]
    matched = curve.matched(scores[recommended], point, draws)
    tell(steps, steps)
    return DeletionResult(recommended, before, curves, tuple(random), matched)


def _left(before: Deletion, points: Sequence[Deletion]) -> float:
    """Spans left where perplexity has risen by a fifth, between the points measured."""
    curve = sorted((p.perplexity, p.spans) for p in (before, *points))
    perplexities, spans = zip(*curve, strict=True)
    return float(np.interp(_RISE * before.perplexity, perplexities, spans))
