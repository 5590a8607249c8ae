"""Intervals: known values, and the empty sample."""

import pytest

from sanilens.audit.statistics import wilson


def test_wilson_known_values() -> None:
    half = wilson(50, 100)
    assert (half.low, half.high) == (
        pytest.approx(0.4038, abs=1e-4),
        pytest.approx(0.5962, abs=1e-4),
    )
    none = wilson(0, 100)
    assert none.low == 0
    assert none.high == pytest.approx(0.0370, abs=1e-4)


def test_nothing_measured_says_so() -> None:
    empty = wilson(0, 0)
    assert empty.rate is None
    assert (empty.low, empty.high) == (None, None)
