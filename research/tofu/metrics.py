"""TOFU's figures, from losses and texts; no model is asked here.

Maini et al., arXiv 2401.06121, section 2.2; where the paper leaves something open, as in its code
(locuslab/tofu, aggregate_eval_stat.py). l(a|q) is the mean loss of an answer's tokens, in nats.
"""

import math
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

from scipy.stats import hmean, ks_2samp

from sanilens.extras import needs

_LARGEST = math.log(sys.float_info.max)


def probability(loss: float) -> float:
    """`P(a|q)^(1/|a|) = exp(-l(a|q))`: of an answer of the forget or the retain set."""
    return math.exp(-loss)


def probability_among(loss: float, wrong: Sequence[float]) -> float:
    """`exp(-l(a|q)) / sum_i exp(-l(a_i|q))` over the right answer and the wrong ones.

    For real authors and world facts, which are asked as questions with choices.
    """
    # Above the least loss, since of a broken model all may be too small for a float.
    least = min(loss, *wrong)
    right = probability(loss - least)
    return right / (right + sum(probability(other - least) for other in wrong))


def truth_ratio(reworded: float, wrong: Sequence[float]) -> float:
    """`R = prod_i exp(-l(wrong_i|q))^(1/n) / exp(-l(reworded|q))`: above 1 prefers what is wrong.

    The geometric mean over the wrong answers, as the code has it; infinite where no float holds it.
    """
    nats = reworded - sum(wrong) / len(wrong)
    return math.inf if nats > _LARGEST else math.exp(nats)


def forget_truth(ratio: float) -> float:
    """`min(R, 1/R)`: 1 where right and wrong answers are equally likely."""
    return min(ratio, 1 / ratio) if ratio else 0.0


def kept_truth(ratio: float) -> float:
    """`max(0, 1 - R)`: how much likelier the right answer is."""
    return max(0.0, 1 - ratio)


def forget_quality(ratios: Sequence[float], reference: Sequence[float]) -> float:
    """p of the two-sample Kolmogorov-Smirnov test that both models' truth ratios are alike.

    Args:
        ratios: of the forget set's questions, by the examined model.
        reference: by a model that never read them.
    """
    result: Any = ks_2samp(ratios, reference)
    return float(result.pvalue)


def model_utility(figures: Sequence[float]) -> float:
    """Harmonic mean of the nine: probability, ROUGE and truth of three sets. 0 if one of them is.

    Raises:
        ValueError: if they are not nine.
    """
    if len(figures) != 9:
        raise ValueError(f"model utility is the mean of nine figures, not of {len(figures)}")
    return float(hmean(figures)) if min(figures) > 0 else 0.0


def rouge_l_recall(reference: str, said: str) -> float:
    """Longest common subsequence of stemmed words, as a share of the reference's words."""
    return _rouge_l().score(reference, said)["rougeL"].recall


@cache
def _rouge_l() -> Any:
    with needs("research"):
        from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rougeL"], use_stemmer=True)
