"""Membership: the AUC is the pairwise one, and separable figures are told apart."""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from sanilens.audit.metrics.membership import membership, min_k_scores


def test_the_auc_is_that_of_mann_and_whitney() -> None:
    rng = np.random.default_rng(0)
    members, others = rng.normal(0.5, 1, 40).round(1), rng.normal(0, 1, 30).round(1)  # with ties
    found = membership(members, others)
    u = mannwhitneyu(members, others).statistic
    assert found.auc == pytest.approx(u / (40 * 30))
    assert found.low < found.auc < found.high
    assert (found.members, found.others) == (40, 30)
    assert membership(members, others) == found


def test_the_ends() -> None:
    assert membership(np.array([1.0, 2.0]), np.array([0.0, -1.0])).auc == 1
    assert membership(np.array([0.0, -1.0]), np.array([1.0, 2.0])).auc == 0
    assert membership(np.array([1.0, 1.0]), np.array([1.0])).auc == 0.5


def test_min_k_looks_at_the_least_likely() -> None:
    texts = [np.array([-1.0, -5.0, -2.0, -0.5, -3.0]), np.array([-4.0])]
    assert min_k_scores(texts, 0.4) == pytest.approx([-4.0, -4.0])


def test_of_nobody_nothing_is_measured() -> None:
    found = membership(np.array([]), np.array([1.0]))
    assert np.isnan([found.auc, found.low, found.high]).all()
    assert (found.members, found.others) == (0, 1)
