"""TOFU's figures against values worked out by hand."""

import math
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from research.tofu.metrics import (
    forget_quality,
    forget_truth,
    kept_truth,
    model_utility,
    probability,
    probability_among,
    rouge_l_recall,
    truth_ratio,
)


def test_probabilities() -> None:
    """An answer of two tokens of probability 1/2 and 1/8 has (1/16)^(1/2) = 1/4."""
    loss = (math.log(2) + math.log(8)) / 2
    assert probability(loss) == pytest.approx(1 / 4)
    # 1/4 among 1/4, 1/2 and 1/8.
    assert probability_among(loss, [math.log(2), math.log(8)]) == pytest.approx(2 / 7)


def test_truth_ratio_is_a_geometric_mean_over_the_right_one() -> None:
    """sqrt(1/2 * 1/8) / (1/16) = 4: the wrong answers are four times likelier."""
    ratio = truth_ratio(math.log(16), [math.log(2), math.log(8)])
    assert ratio == pytest.approx(4)
    assert forget_truth(ratio) == pytest.approx(1 / 4)
    assert forget_truth(1 / ratio) == pytest.approx(1 / 4)
    assert forget_truth(1.0) == 1
    assert kept_truth(ratio) == 0
    assert kept_truth(1 / ratio) == pytest.approx(3 / 4)


def test_forget_quality_is_the_exact_p_of_two_samples() -> None:
    """Of the C(6, 3) = 20 orders of two samples of three, two keep them apart."""
    assert forget_quality([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]) == pytest.approx(2 / 20)
    assert forget_quality([1.0, 2.0, 3.0], [3.0, 1.0, 2.0]) == 1
    # 5! 5! 2 / 10! of two samples of five.
    assert forget_quality([*map(float, range(5))], [*map(float, range(9, 14))]) == pytest.approx(
        2 / math.comb(10, 5)
    )


def test_model_utility_is_a_harmonic_mean_of_nine() -> None:
    assert model_utility([0.5] * 9) == pytest.approx(0.5)
    assert model_utility([1.0] * 8 + [0.5]) == pytest.approx(9 / 10)
    assert model_utility([1.0] * 8 + [0.0]) == 0
    with pytest.raises(ValueError, match="not of 8"):
        model_utility([1.0] * 8)


@pytest.mark.parametrize(
    ("reference", "said", "recall"),
    [
        ("the cat sat on the mat", "the cat on mat", 4 / 6),
        ("the cat sat on the mat", "mat the on sat cat the", 3 / 6),
        ("Paris", "It is PARIS, of course.", 1.0),
        ("running dogs", "the run of a dog", 1.0),  # Porter: run, dog
        ("gas", "ga", 0.0),  # three letters are not stemmed
        ("born 06/30/1975", "born on 06-30-1975!", 1.0),
        ("some words", "", 0.0),
        ("北京", "北京", 0.0),  # ASCII only, as the package has it
    ],
)
def test_rouge_l_recall(reference: str, said: str, recall: float) -> None:
    assert rouge_l_recall(reference, said) == pytest.approx(recall)


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=7), st.lists(st.sampled_from("abc")))
@settings(max_examples=60)
def test_the_subsequence_is_the_longest(reference: list[str], said: list[str]) -> None:
    """Against trying every subsequence of the reference."""

    def within(part: tuple[str, ...]) -> bool:
        rest = iter(said)
        return all(word in rest for word in part)

    longest = max(
        size
        for size in range(len(reference) + 1)
        if any(within(part) for part in combinations(reference, size))
    )
    assert rouge_l_recall(" ".join(reference), " ".join(said)) == longest / len(reference)


def test_a_broken_model_overflows_nothing() -> None:
    assert truth_ratio(2000.0, [0.0]) == float("inf")
    assert forget_truth(float("inf")) == 0.0
    assert forget_truth(truth_ratio(0.0, [2000.0])) == 0.0
    assert kept_truth(float("inf")) == 0.0
    assert probability_among(2000.0, [2000.0, 2000.0, 2000.0]) == pytest.approx(0.25)
