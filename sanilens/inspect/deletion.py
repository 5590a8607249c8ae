"""The deletion curve: how much is still said without a localiser's first k units, and at what cost.

DEL (Chang et al., arXiv 2311.09060), over a whole corpus: spans still extracted, spans of others,
and perplexity on other notes, with the first k units zeroed; beside as many random units of the
same layers. A localiser is worth having where it leaves fewer spans than chance does *at the same
perplexity*: at the same number of units, those that carry memory may just be those that carry
everything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from sanilens.audit.extraction import audit_spans
from sanilens.audit.summary import memory
from sanilens.audit.utility import perplexity
from sanilens.corpus.records import Record
from sanilens.inspect.scores import UnitScores, random_like
from sanilens.inspect.targets import Scope
from sanilens.model.hooks import Hooks
from sanilens.model.interventions import zeroed
from sanilens.model.subject import SubjectModel

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Deletion:
    """What is left with some units zeroed.

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
        subject: SubjectModel,
        records: Sequence[Record],
        unseen: Sequence[Record],
        scope: Scope | None = None,
    ) -> None:
        """Measure on `records` (spans in `scope` apart from the others) and `unseen`."""
        self._subject, self._records, self._unseen = subject, records, unseen
        self._scope = scope or Scope()

    def located(self, scores: UnitScores, count: int) -> Deletion:
        """Zero the first `count` units."""
        return self._measure(count, zeroed(self._subject, scores.units(count)))

    def random(self, scores: UnitScores, count: int, draws: int) -> list[Deletion]:
        """Zero as many random units in each layer as `scores`' first `count` are, several times."""
        units, sites = scores.units(count), self._subject.sites
        drawn = [random_like(sites, units, seed, exclude=False) for seed in range(draws)]
        return [self._measure(count, zeroed(self._subject, each)) for each in drawn]

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
            found = self.random(scores, middle, draws)
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
        by_id = {r.id: r for r in self._records}
        said = [
            self._scope.holds(by_id[v.record], v.span_id, v.label)
            for v in memory(audit_spans(self._subject, self._records, hooks=hooks))
            if v.extracted
        ]
        value = perplexity(self._subject, self._unseen, hooks=hooks).value
        return Deletion(count, sum(said), len(said) - sum(said), value)


def _off(found: Sequence[Deletion], located: Deletion) -> float:
    return _mean(found).perplexity / located.perplexity - 1


def _mean(found: Sequence[Deletion]) -> Deletion:
    return Deletion(
        found[0].units,
        fmean(each.spans for each in found),
        fmean(each.others for each in found),
        fmean(each.perplexity for each in found),
    )
