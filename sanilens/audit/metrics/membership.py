"""Membership inference: can an attacker tell a text that was trained on from one like it?

An attack ranks texts by one figure, higher for members. Its quality is the AUC, the chance that a
member ranks above a non-member; an AUC far below one half tells the two apart as well.

    loss     the mean log-probability of the sensitive tokens
    min-k    the mean of the k % least likely tokens (Shi et al., arXiv 2310.16789); k = 20
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from sanilens.audit.context import by_memory
from sanilens.audit.extraction import SpanVerdict
from sanilens.audit.metrics.metric import Metric, Trial
from sanilens.audit.perplexity import text_logprobs

# Draws of the bootstrap behind an interval, and the share of tokens that min-k looks at.
_DRAWS, _MIN_K = 1000, 0.2


@dataclass(frozen=True, slots=True)
class Membership:
    """An AUC in [0, 1] with its 95 % interval, and how many members and others it compares.

    NaN, not measured, if there are none of either.
    """

    auc: float
    low: float
    high: float
    members: int
    others: int


def record_scores(verdicts: Iterable[SpanVerdict]) -> Float[np.ndarray, " record"]:
    """The loss attack's figure of each record: only tokens that memory alone can say."""
    tokens: dict[str, list[float]] = {}
    for verdict in verdicts:
        if by_memory(verdict.status):
            tokens.setdefault(verdict.record, []).extend(verdict.token_logprobs)
    return np.array([np.mean(own) for own in tokens.values()])


def min_k_scores(
    logprobs: Sequence[Float[np.ndarray, " token"]], share: float = _MIN_K
) -> Float[np.ndarray, " text"]:
    """Min-K's figure of each text, over at least one token."""
    least = (np.sort(own)[: max(1, round(share * len(own)))] for own in logprobs)
    return np.array([own.mean() for own in least])


def membership(
    members: Float[np.ndarray, " member"], others: Float[np.ndarray, " other"], seed: int = 0
) -> Membership:
    """How well a figure tells members from others: AUC, and a bootstrap over texts of both sides.

    AUC = P(member > other) + P(member = other) / 2, over all pairs.
    """
    if not (len(members) and len(others)):  # not measured
        return Membership(math.nan, math.nan, math.nan, len(members), len(others))
    above = (members[:, None] > others) + 0.5 * (members[:, None] == others)
    rng = np.random.default_rng(seed)
    drawn = [rng.multinomial(n, np.full(n, 1 / n), _DRAWS) / n for n in (len(members), len(others))]
    aucs = np.einsum("dm,mo,do->d", drawn[0], above, drawn[1], optimize=True)
    low, high = np.quantile(aucs, [0.025, 0.975])
    return Membership(float(above.mean()), float(low), float(high), len(members), len(others))


def _by_spans(trial: Trial) -> float:
    exam = trial.exam
    others = exam.of(exam.lookalike).verdicts(trial.model, trial.hooks)
    return membership(record_scores(trial.verdicts), record_scores(others)).auc


def _by_texts(trial: Trial) -> float:
    members, others = (
        min_k_scores([t.numpy() for t in text_logprobs(trial.model, records, hooks=trial.hooks)])
        for records in (trial.exam.records, trial.exam.lookalike)
    )
    return membership(members, others).auc


MEMBERSHIP = Metric(
    name="membership_auc",
    title="MIA",
    meaning="AUC against look-alikes by sensitive tokens; 0.5 is chance.",
    unit="AUC",
    better="lower",
    measure=_by_spans,
    needs=("lookalike",),
)
MEMBERSHIP_TEXT = Metric(
    name="membership_text_auc",
    title="MIA text",
    meaning="The same by min-k over all tokens.",
    unit="AUC",
    better="lower",
    measure=_by_texts,
    needs=("causal", "lookalike"),
)
