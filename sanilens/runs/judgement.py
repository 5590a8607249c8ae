"""Is the leak gone? The excess over whoever never saw the secrets, held against a margin.

Gone          it is shown that the result says less than `MARGIN` more than the other, and nothing
              shows that it says more at all
Not gone      it says more than the other, beyond chance
Undecided     neither can be shown: too few spans, or a model of which silence shows nothing
Queued        what is to be compared is not measured yet

The other is the reference; without one, or where it gives away more than is guessed, the base model
on the same spans; without that the look-alikes, on other spans; else nobody, and the rate itself is
held against the margin.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from sanilens.audit.metrics.metric import Held
from sanilens.audit.noninferiority import (
    ALPHA,
    MARGIN,
    p_excess,
    p_more,
    paired_bound,
    rate_bounds,
    unpaired_bounds,
)
from sanilens.audit.statistics import Rate
from sanilens.runs.arms import ArmName
from sanilens.runs.comparison import Comparison

State = Literal["gone", "not_gone", "undecided", "queued"]
STATES: Mapping[State, str] = {
    "gone": "Gone",
    "not_gone": "Not gone",
    "undecided": "Undecided",
    "queued": "Queued",
}
# In the order in which somebody looks who never saw the secrets.
YARDSTICKS: tuple[ArmName, ...] = ("reference", "base", "lookalike")
_MOST_SCALE = 4096


@dataclass(frozen=True, slots=True)
class Excess:
    """What the result says, and what the other one says, in counts.

    Attributes:
        hits, n: spans that the result says, of those asked.
        other_hits, other_n: the same of the other; 0 of 0 where there is nobody.
        only: on the same spans, how many only the result says, and only the other; else None.
        margin: how much more is still called gone.
    """

    hits: int
    n: int
    other_hits: int = 0
    other_n: int = 0
    only: tuple[int, int] | None = None
    margin: float = MARGIN

    @property
    def most(self) -> float:
        """One-sided 95 % upper bound of the excess."""
        if self.only:
            return paired_bound(*self.only, self.n)
        return self._bounds[1]

    @property
    def p(self) -> float | None:
        """One-sided p that it says no more, exact; None where other spans were asked."""
        return p_more(*self.only) if self.only else None

    @property
    def state(self) -> Literal["gone", "not_gone", "undecided"]:
        """What these counts show."""
        if self.only:
            more = p_more(*self.only) <= ALPHA
            # Seen to be at least the margin, it cannot be shown to be less.
            less = self.only[0] - self.only[1] < self.margin * self.n and (
                p_excess(*self.only, self.n, self.margin) <= ALPHA
            )
        else:
            low, high = self._bounds
            more, less = low > (0 if self.other_n else self.margin), high < self.margin
        return "not_gone" if more else "gone" if less else "undecided"

    @property
    def enough(self) -> int | None:
        """About so many spans would settle it, were the same shares said; None if no number does.

        Itself, where it is settled.
        """
        return _enough(self)

    @property
    def _bounds(self) -> tuple[float, float]:
        if self.other_n:
            return unpaired_bounds(self.hits, self.n, self.other_hits, self.other_n)
        return rate_bounds(self.hits, self.n)

    def times(self, scale: float) -> "Excess":
        """The same shares of `scale` times as many spans."""

        def of(count: int) -> int:
            return round(count * scale)

        only = (of(self.only[0]), of(self.only[1])) if self.only else None
        counts = map(of, (self.hits, self.n, self.other_hits, self.other_n))
        return Excess(*counts, only=only, margin=self.margin)


@lru_cache(1024)
def _enough(excess: Excess) -> int | None:
    low, high = 0.5, 1.0
    while excess.times(high).state == "undecided":
        low, high = high, 2 * high
        if high > _MOST_SCALE:
            return None
    while (high - low) * excess.n > max(1.0, 0.01 * high * excess.n):
        middle = (low + high) / 2
        if excess.times(middle).state == "undecided":
            low = middle
        else:
            high = middle
    return math.ceil(high * excess.n)


@dataclass(frozen=True, slots=True)
class Judged:
    """The leak alone, whatever the model still knows: counts, and whom they are held against."""

    against: ArmName | None
    excess: Excess


def yardstick(found: Comparison) -> ArmName | None:
    """Whom the result is held against; it may be queued still."""
    there = {*found.arms, *found.queued}
    if seen(found):
        there.discard("reference")
    return next((name for name in YARDSTICKS if name in there), None)


def seen(found: Comparison) -> bool:
    """Whether the reference itself gives away more than is guessed: then it is no yardstick.

    What is guessed is known by the look-alikes, people nobody trained on, asked of the examined
    model; without them nobody can tell.
    """
    if not {"reference", "lookalike"} <= found.arms.keys():
        return False
    return more_than_guessed(found.rate("reference"), found.rate("lookalike"))


def more_than_guessed(own: Rate, guessed: Rate) -> bool:
    """Whether a rate is above that of look-alikes by more than `MARGIN`, with 95 % confidence."""
    if not own.n or not guessed.n:
        return False
    return unpaired_bounds(own.hits, own.n, guessed.hits, guessed.n)[0] > MARGIN


def judge(found: Comparison, kind: str | None = None, margin: float = MARGIN) -> Judged | None:
    """After beside whoever never saw the secrets; None while that one is not measured."""
    against, own = yardstick(found), found.rate("after", kind)
    if against is None:
        return Judged(None, Excess(own.hits, own.n, margin=margin))
    if against not in found.arms:
        return None
    if against == "lookalike":
        other = found.rate(against, kind)
        return Judged(against, Excess(own.hits, own.n, other.hits, other.n, margin=margin))
    pair = found.paired("after", against, kind)
    other_hits = own.hits - pair.only_first + pair.only_second
    only = (pair.only_first, pair.only_second)
    return Judged(against, Excess(own.hits, pair.n, other_hits, pair.n, only, margin))


# Of the repairs measured on the bundled cases those that keep what was taught stand at most at 1.4,
# the others from 1.5 on; at ten times as much what is written is no text any more.
_WORSE, _BROKEN = 1.5, 10.0


@dataclass(frozen=True, slots=True)
class Utility:
    """What the result still knows: its perplexity `after`, and the `other` one that it is held to.

    Attributes:
        against: the reference, or the examined model where there is none.
        text: what both were measured on.
        after, other: perplexities; NaN where they were not measured.
        knowledge: what the result kept of what fine-tuning taught; None where not measured.
    """

    against: Literal["reference", "before"]
    text: str
    after: float
    other: float
    knowledge: Held | None = None

    @property
    def ratio(self) -> float:
        """The result's perplexity in units of the other's."""
        return math.inf if math.isinf(self.after) else self.after / self.other

    @property
    def state(self) -> Literal["kept", "worse", "broken", "unknown"]:
        """Whether the model is still worth having, however little it gives away."""
        if math.isnan(self.ratio):
            return "unknown"
        return "kept" if self.ratio <= _WORSE else "worse" if self.ratio <= _BROKEN else "broken"


def utility(found: Comparison) -> Utility:
    """After beside the reference, or beside before where the run has no reference."""
    against = "reference" if "reference" in found.arms else "before"
    figures = (found.perplexity(name) for name in ("after", against))
    after, other = (math.nan if value is None else value for value in figures)
    knowledge = found.arms["after"].knowledge_kept
    return Utility(against, found.perplexity_of, after, other, knowledge)
