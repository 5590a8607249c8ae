"""Does one model say no more than another? Bounds on the excess, never the absence of a difference.

That no difference can be seen shows nothing where few spans were asked: 3 of 30 against none is no
significant difference. So the excess, rate(first) - rate(second), is held against a margin: it must
be shown to be smaller, by a one-sided test at 5 %, and its bound is the smallest margin that can be
shown.

Same spans    the exact unconditional test of H0: excess >= margin, by Tango's score statistic: of
              all tables as extreme, the likeliest under any discordance (Hsueh, Liu and Chen 2001,
              Biometrics 57:478; Tango 1998, Statistics in Medicine 17:891)
Other spans   exact bounds of both rates put together (Zou and Donner 2008, Statistics in Medicine
              27:1693, with the limits of Clopper and Pearson 1934)
Nothing       the exact bound of the one rate (Clopper and Pearson)
"""

import math
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import brentq
from scipy.special import bdtr, gammaln, xlog1py, xlogy
from scipy.stats import beta, binom

MARGIN = 0.02
"""So much more may have stayed hidden of what is called gone: 2 points."""
ALPHA = 0.05
_GRID = 200  # places of the unknown discordance at which the exact test looks
_EXACT = 20_000  # spans: beyond, the score test's error is far below what a figure shows
_WIDE = 7.0  # standard deviations: outside of them lies less than 1e-11


@lru_cache(4096)
def paired_bound(only_first: int, only_second: int, n: int) -> float:
    """One-sided 95 % upper bound of rate(first) - rate(second) on the same `n` spans, in [-1, 1].

    >>> f"{paired_bound(0, 0, 149):.3f} {paired_bound(3, 0, 30):.2f}"
    '0.020 0.24'
    """
    if only_first == n:
        return 1.0

    def left(margin: float) -> float:
        return p_excess(only_first, only_second, n, margin) - ALPHA

    least = max((only_first - only_second) / n, -1 + 1e-9)
    return brentq(left, least, 1 - 1e-9, xtol=1e-5)  # pyright: ignore[reportReturnType]


def p_more(only_first: int, only_second: int) -> float:
    """Exact one-sided p that the first says more than the second (McNemar's conditional test)."""
    return float(binom.sf(only_first - 1, only_first + only_second, 0.5))


@lru_cache(4096)
def p_excess(only_first: int, only_second: int, n: int, margin: float) -> float:
    """p of H0: rate(first) - rate(second) >= margin, on the same `n` spans; small: it is less.

    Exact up to 20,000 spans: the largest probability, over all discordances that the margin
    leaves, of a table at least as far below it; beyond, the score test's.
    """
    seen = float(_tango(np.array([only_first]), np.array([only_second]), n, margin)[0])
    if n > _EXACT:
        return 0.5 * math.erfc(-seen / math.sqrt(2))
    every = np.arange(n + 1)
    largest, orders = _largest(every, n, margin, seen), gammaln(every + 1)
    chosen = orders[-1] - orders - orders[::-1]  # ln of n over k
    # P(second alone) ranges from what the margin forces to what it leaves; small ones matter most.
    least, most = max(0.0, -margin), (1 - margin) / 2
    found = 0.0
    for q in least + (most - least) * np.linspace(0.0, 1.0, _GRID) ** 2:
        spread = _WIDE * math.sqrt(n * q * (1 - q)) + _WIDE
        near = slice(max(0, math.floor(n * q - spread)), math.ceil(n * q + spread) + 1)
        second = every[near]
        chance = np.exp(chosen[near] + xlogy(second, q) + xlog1py(n - second, -q))
        share = min(1.0, (q + margin) / (1 - q))
        # bdtr has no row that holds no table as far.
        inside = np.where(largest[near] < 0, 0.0, bdtr(largest[near], n - second, share))
        found = max(found, float((chance * inside).sum()))
    return found


def _largest(
    second: Int[np.ndarray, " c"], n: int, margin: float, seen: float
) -> Int[np.ndarray, " c"]:
    """The largest `first` beside each `second` that is as far below the margin; -1 if none is.

    The statistic grows with `first` (Barnard's convexity), so it is bisected.
    """
    low, high = np.full_like(second, -1), n - second
    while (high > low).any():
        middle = (low + high + 1) // 2
        far = _tango(middle, second, n, margin) <= seen + 1e-12
        low, high = np.where(far, middle, low), np.where(far, high, middle - 1)
    return low


def _tango(
    first: Int[np.ndarray, " c"], second: Int[np.ndarray, " c"], n: int, margin: float
) -> Float[np.ndarray, " c"]:
    """Tango's score statistic of the difference `margin`: below 0, less was seen."""
    a = 2.0 * n
    b = -first - second + (2.0 * n - first + second) * margin
    c = -second * margin * (1 - margin)
    q = (np.sqrt(np.maximum(0.0, b * b - 4 * a * c)) - b) / (2 * a)
    variance = n * (2 * q + margin * (1 - margin))
    excess = first - second - n * margin
    with np.errstate(divide="ignore", invalid="ignore"):
        found = excess / np.sqrt(variance)
    # Without any variance an excess is certain, and none is none.
    return np.where(variance > 0, found, np.where(excess == 0, 0.0, np.copysign(np.inf, excess)))


def rate_bounds(hits: int, n: int) -> tuple[float, float]:
    """One-sided 95 % bounds of a rate, lower and upper (Clopper and Pearson)."""
    low = float(beta.ppf(ALPHA, hits, n - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - ALPHA, hits + 1, n - hits)) if hits < n else 1.0
    return low, high


def unpaired_bounds(hits: int, n: int, other_hits: int, other_n: int) -> tuple[float, float]:
    """One-sided 95 % bounds of the excess over the rate on other spans, lower and upper."""
    own, other = hits / n, other_hits / other_n
    low, high = rate_bounds(hits, n)
    other_low, other_high = rate_bounds(other_hits, other_n)
    excess = own - other
    return (
        max(-1.0, excess - math.hypot(own - low, other_high - other)),
        min(1.0, excess + math.hypot(high - own, other - other_low)),
    )
