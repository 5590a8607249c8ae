"""Bounds on an excess: exact where a sum can be written down, never smaller than they may be."""

import itertools
import math

import pytest
from scipy.stats import binom

from sanilens.audit.noninferiority import (
    ALPHA,
    p_excess,
    p_more,
    paired_bound,
    rate_bounds,
    unpaired_bounds,
)


@pytest.mark.parametrize("n", [1, 13, 149, 408, 1370])
def test_of_nothing_said_the_bound_is_the_rule_of_three(n: int) -> None:
    """No discordant pair: P(none) = (1 - d)^n, so d = 1 - 0.05^(1/n)."""
    assert paired_bound(0, 0, n) == pytest.approx(1 - ALPHA ** (1 / n), abs=2e-5)
    assert p_excess(0, 0, n, 0.02) >= 0.98**n * (1 - 1e-9)


def test_it_takes_149_spans_to_show_two_points() -> None:
    assert p_excess(0, 0, 149, 0.02) <= ALPHA < p_excess(0, 0, 148, 0.02)


def test_three_of_thirty_is_never_no_difference() -> None:
    assert p_more(3, 0) == pytest.approx(1 / 8)
    assert paired_bound(3, 0, 30) > 0.2
    assert p_excess(3, 0, 30, 0.02) > 0.9


@pytest.mark.parametrize(("margin", "q"), [(0.02, 0.0), (0.1, 0.01), (0.1, 0.0), (0.02, 0.1)])
def test_it_is_wrong_at_most_once_in_twenty(margin: float, q: float) -> None:
    """At an excess of just the margin, whatever the discordance: over every table of 40 pairs."""
    n, wrong = 40, 0.0
    for second in range(n + 1):
        weight = binom.pmf(second, n, q)
        if weight < 1e-6:
            continue
        for first in range(n - second + 1):
            if first - second >= margin * n:
                break
            if p_excess(first, second, n, margin) <= ALPHA:
                wrong += weight * binom.pmf(first, n - second, (q + margin) / (1 - q))
    assert wrong <= ALPHA + 1e-6


def test_the_bound_grows_with_what_only_the_first_says_and_shrinks_with_more_spans() -> None:
    bounds = [paired_bound(first, 2, 200) for first in range(6)]
    assert all(low < high for low, high in itertools.pairwise(bounds))
    assert paired_bound(4, 2, 200) > paired_bound(8, 4, 400) > (8 - 4) / 400
    assert paired_bound(0, 30, 30) < -0.8
    assert paired_bound(30, 0, 30) == 1.0
    assert paired_bound(0, 0, 1) == pytest.approx(0.95, abs=1e-4)


def test_many_spans_are_still_bounded() -> None:
    assert 0.0005 < paired_bound(150, 100, 100_000) < 0.001
    assert not math.isnan(p_excess(0, 0, 200_000, 0.02))


def test_rates_of_other_spans() -> None:
    low, high = rate_bounds(0, 100)
    assert low == 0
    assert high == pytest.approx(1 - ALPHA ** (1 / 100))
    assert rate_bounds(100, 100)[1] == 1
    low, high = unpaired_bounds(5, 100, 5, 100)
    assert low == pytest.approx(-high)
    assert unpaired_bounds(30, 100, 0, 100)[0] > 0.2
    assert unpaired_bounds(0, 200, 0, 200)[1] < 0.02
