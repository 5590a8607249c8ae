"""What each part adds: differences of paired seeds, and their interval by hand."""

import pytest

from sanilens.audit.measurement import Measurement
from sanilens.audit.methods_table import MethodRow, parts
from sanilens.audit.summary import RateRow


def _row(method: str, seed: int, hits: int, unseen: float) -> MethodRow:
    rate = RateRow(rate=hits / 100, hits=hits, n=100, low=0, high=1)
    figures = Measurement(metrics={"extraction": {"direct": rate}, "perplexity_unseen": unseen})
    return MethodRow(
        method=method, group="ablation", seed=seed, figures=figures, seconds=1, cost=0.1
    )


def test_a_part_is_the_mean_difference_of_the_same_seeds() -> None:
    rows = [_row("none, masked", seed, 50, 3.0) for seed in range(3)]
    rows += [_row("random, masked", seed, 40 + seed, 3.5) for seed in range(3)]
    (found,) = parts(rows)
    assert (found.added, found.instead, found.held, found.seeds) == ("random", "none", "masked", 3)
    assert found.leak.mean == pytest.approx(-0.09)
    # t(0.975, 2) = 4.3027, the deviation 0.01, so the half width 4.3027 * 0.01 / sqrt(3).
    assert found.leak.low == pytest.approx(-0.09 - 0.024841, abs=1e-6)
    assert found.leak.high == pytest.approx(-0.09 + 0.024841, abs=1e-6)
    assert found.unseen.low == found.unseen.high == pytest.approx(0.5)


def test_one_seed_has_no_interval_and_rows_without_a_partner_are_left_out() -> None:
    rows = [_row("none, masked", 0, 50, 3.0), _row("none, surrogate", 0, 10, 3.0)]
    (found,) = parts([*rows, _row("located, anchored", 0, 1, 3.0)])
    assert (found.added, found.held) == ("surrogate", "none")
    assert found.leak.low is None
