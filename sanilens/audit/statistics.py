"""Rates with intervals, and whether two of them differ: no rate is shown without its n."""

import math
from dataclasses import dataclass

from scipy.stats import binomtest


@dataclass(frozen=True, slots=True)
class Rate:
    """`hits` of `n`, and the Wilson interval [low, high] of the rate; all in [0, 1].

    None where nothing was measured.
    """

    hits: int
    n: int
    low: float | None
    high: float | None

    @property
    def rate(self) -> float | None:
        """hits / n; None where nothing was measured."""
        return self.hits / self.n if self.n else None


def wilson(hits: int, n: int) -> Rate:
    """The 95 % Wilson score interval; an empty sample has none.

    >>> rate = wilson(0, 809)
    >>> f"{rate.low:.4f} to {rate.high:.4f}"
    '0.0000 to 0.0047'
    """
    if n == 0:
        return Rate(0, 0, None, None)
    interval = binomtest(hits, n).proportion_ci(0.95, method="wilson")
    return Rate(hits, n, float(interval.low), float(interval.high))


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided p that two models differ on the same spans (McNemar's test).

    Spans on which both agree say nothing; of the others, half would fall to either side by
    chance: p = P(|X - n/2| >= |only_first - n/2|), X ~ Binomial(n, 1/2).

    >>> mcnemar(0, 5)
    0.0625
    """
    n = only_first + only_second
    return float(binomtest(only_first, n, 0.5).pvalue) if n else 1.0


def paired_difference(only_first: int, only_second: int, n: int) -> tuple[float, float]:
    """95 % interval of rate(first) - rate(second) on the same `n` spans.

    Wald's interval with half a count added to each of the four cells, which keeps its coverage
    in small samples (Agresti and Min 2005, Statistics in Medicine 24:729).
    """
    first, second, total = only_first + 0.5, only_second + 0.5, n + 2
    centre = (first - second) / total
    spread = 1.959964 * math.sqrt(first + second - (first - second) ** 2 / total) / total
    return max(-1.0, centre - spread), min(1.0, centre + spread)
