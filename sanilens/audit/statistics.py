"""Rates with intervals: no rate is shown without its n and its 95 % interval."""

from dataclasses import dataclass

from scipy.stats import binomtest


@dataclass(frozen=True, slots=True)
class Rate:
    """`hits` of `n`, and the Wilson interval [low, high] of the rate; all in [0, 1]."""

    hits: int
    n: int
    low: float
    high: float

    @property
    def rate(self) -> float | None:
        """hits / n; None where nothing was measured."""
        return self.hits / self.n if self.n else None


def wilson(hits: int, n: int) -> Rate:
    """The 95 % Wilson score interval; an empty sample tells nothing, so it spans [0, 1]."""
    if n == 0:
        return Rate(0, 0, 0.0, 1.0)
    interval = binomtest(hits, n).proportion_ci(0.95, method="wilson")
    return Rate(hits, n, float(interval.low), float(interval.high))
