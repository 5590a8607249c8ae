"""The deletion curve: how much is still said without a localiser's first k units, and at what cost.

DEL (Chang et al., arXiv 2311.09060), over a whole corpus: spans still extracted, spans of others,
and perplexity on other notes, with the first k units zeroed; beside as many random units of the
same layers. A localiser is worth having where it leaves fewer spans than chance does *at the same
perplexity*: at the same number of units, those that carry memory may just be those that carry
everything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from sanilens.audit.measurement import measure
from sanilens.audit.metrics.metric import Exam
from sanilens.audit.targets import Scope, find_targets
from sanilens.corpus.records import Record
from sanilens.inspect.controls import random_like
from sanilens.inspect.locate.localisers import Settings, find_localiser
from sanilens.inspect.locate.scores import UnitScores
from sanilens.model.hooks import Hooks
from sanilens.model.interventions import zeroed
from sanilens.model.language_model import LanguageModel
from sanilens.progress import Progress, unheard


@dataclass(frozen=True, slots=True)
class Deletion:
    """A point of the curve: what a measurement with some units zeroed says, and no more.

    Points are kept by the hundred, and means over draws are points too, whose spans are no counts;
    so this is not a whole measurement.

    Attributes:
        units: how many.
        spans: spans in scope that are still extracted.
        others: spans out of scope that are still extracted.
        perplexity: on other notes, all tokens.
    """

    units: int
    spans: float
    others: float
    perplexity: float


@dataclass(frozen=True, slots=True)
class Matched:
    """A located deletion, and random ones of the same perplexity.

    `random_low` and `random_high` are the fewest and the most spans over the draws.
    """

    located: Deletion
    random: Deletion
    random_low: float
    random_high: float
    draws: int

    @property
    def ratio(self) -> float:
        """Spans that the localiser leaves, for each that chance leaves."""
        return self.located.spans / self.random.spans if self.random.spans else float("nan")


class DeletionCurve:
    """Measures deletions of one model on one corpus; each set of units once."""

    def __init__(
        self,
        model: LanguageModel,
        records: Sequence[Record],
        unseen: Sequence[Record],
        scope: Scope | None = None,
    ) -> None:
        """Measure on `records` (spans in `scope` apart from the others) and `unseen`."""
        self._model, self._exam = model, Exam(records, unseen=unseen)
        self._scope = scope or Scope()

    def located(self, scores: UnitScores, count: int) -> Deletion:
        """Zero the first `count` units."""
        return self._measure(count, zeroed(self._model, scores.units(count)))

    def random(
        self, scores: UnitScores, count: int, draws: int, located: int | None = None
    ) -> list[Deletion]:
        """Zero as many random units in each layer as `scores`' first `count` are, several times.

        None is among the first `located` (by default `count`), which they are held against; a
        layer in which these leave too few gives what it has.
        """
        units, sites = scores.units(count), self._model.sites
        avoid = units if located is None else scores.units(located)
        drawn = [random_like(sites, units, seed, avoid=avoid) for seed in range(draws)]
        return [self._measure(count, zeroed(self._model, each)) for each in drawn]

    def matched(
        self, scores: UnitScores, located: Deletion, draws: int = 5, within: float = 0.02
    ) -> Matched:
        """Random units, as many as make the mean perplexity `located`'s, within a share of it.

        Bisects over the number of units; the nearest is taken where none is near enough.
        """
        low, high = 0, scores.values.numel()
        best: list[Deletion] = []
        while high - low > 1:
            middle = (low + high) // 2
            found = self.random(scores, middle, draws, located.units)
            off = _off(found, located)
            best = found if not best or abs(off) < abs(_off(best, located)) else best
            if abs(off) <= within:
                break
            low, high = (middle, high) if off < 0 else (low, middle)
        return Matched(
            located,
            _mean(best),
            min(each.spans for each in best),
            max(each.spans for each in best),
            draws,
        )

    def _measure(self, count: int, hooks: Hooks) -> Deletion:
        found = measure(self._model, self._exam, hooks=hooks)
        said = found.rate(self._scope.covers).hits
        others = found.rate().hits - said
        return Deletion(count, said, others, found.figure("perplexity_unseen"))


def _off(found: Sequence[Deletion], located: Deletion) -> float:
    return _mean(found).perplexity / located.perplexity - 1


def _mean(found: Sequence[Deletion]) -> Deletion:
    return Deletion(
        found[0].units,
        fmean(each.spans for each in found),
        fmean(each.others for each in found),
        fmean(each.perplexity for each in found),
    )


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
    model: LanguageModel,
    records: Sequence[Record],
    unseen: Sequence[Record],
    names: Sequence[str],
    candidates: Sequence[str],
    *,
    draws: int = 5,
    seed: int = 0,
    progress: Progress = unheard,
) -> DeletionResult:
    """Zero more and more of the neurons that each localiser names, and measure what is left.

    Args:
        model: the examined model.
        records: what it may say.
        unseen: notes for the perplexity.
        names: the localisers.
        candidates: those of which one is recommended, and chance is compared with it. One that
            would take hours over a corpus (a pass for each unit) is left out.
        draws: of random units at each point.
        seed: of the localisers.
        progress: hears of the points measured.
    """
    curve = DeletionCurve(model, records, unseen)
    targets = find_targets(model, records)
    candidates = [name for name in candidates if find_localiser(name).cost != "hours"]
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
            progress(number * len(counts) + at, steps)
        curves[name] = tuple(points)
    recommended = min(candidates, key=lambda name: _left(before, curves[name]))
    random = []
    for at, count in enumerate(counts, start=1):
        random.append(tuple(curve.random(scores[recommended], count, draws)))
        progress(len(every) * len(counts) + at, steps)
    point = curves[recommended][SHARES.index(_MATCHED)]
    matched = curve.matched(scores[recommended], point, draws)
    progress(steps, steps)
    return DeletionResult(recommended, before, curves, tuple(random), matched)


def _left(before: Deletion, points: Sequence[Deletion]) -> float:
    """Spans left where perplexity has risen by a fifth, between the points measured."""
    curve = sorted((p.perplexity, p.spans) for p in (before, *points))
    perplexities, spans = zip(*curve, strict=True)
    return float(np.interp(_RISE * before.perplexity, perplexities, spans))
