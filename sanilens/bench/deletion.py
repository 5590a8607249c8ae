"""The deletion curve of some localisers on one model and corpus, beside chance."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sanilens.corpus.records import Record
from sanilens.inspect.deletion import Deletion, DeletionCurve, Matched
from sanilens.inspect.localisers import Settings, find_localiser
from sanilens.inspect.targets import find_targets
from sanilens.model.subject import SubjectModel

Tell = Callable[[int, int], None]

# Shares of all neurons: dense where a plan would stay, far enough for the curve to end.
SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)


@dataclass(frozen=True, slots=True)
class DeletionResult:
    """Deletion curves.

    Attributes:
        before: the untouched model.
        curves: by localiser, its points.
        random: at each point of `recommended`, each of the draws of random units, as many in each
            layer.
        matched: `recommended`'s last point, and chance at the same perplexity.
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
    recommended: str,
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
        recommended: the one that chance is compared with.
        draws: of random units at each point.
        seed: of the localisers.
        tell: hears of the points measured.
    """
    curve = DeletionCurve(subject, records, unseen)
    targets = find_targets(subject, records)
    every = list(dict.fromkeys((recommended, *names)))
    scores = {n: find_localiser(n).score(targets, Settings(seed=seed)) for n in every}
    counts = [round(share * scores[recommended].values.numel()) for share in SHARES]
    steps = len(counts) * (len(every) + 1) + 1
    curves: dict[str, tuple[Deletion, ...]] = {}
    for number, name in enumerate(every):
        points = []
        for at, count in enumerate(counts, start=1):
            points.append(curve.located(scores[name], count))
            tell(number * len(counts) + at, steps)
        curves[name] = tuple(points)
    random = []
    for at, count in enumerate(counts, start=1):
        random.append(tuple(curve.random(scores[recommended], count, draws)))
        tell(len(every) * len(counts) + at, steps)
    matched = curve.matched(scores[recommended], curves[recommended][-1], draws)
    tell(steps, steps)
    before = curve.located(scores[recommended], 0)
    return DeletionResult(recommended, before, curves, tuple(random), matched)
