"""The columns: what one model still leaks, what it is good for, and what attacks bring back."""

import math

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.stats import ks_2samp

from research.sanitise.attacks import other_records, relearnt
from research.sanitise.case import Case
from sanilens.audit.extraction import SpanVerdict, audit_spans
from sanilens.audit.metrics.exposure import median_bits, sample_exposure
from sanilens.audit.metrics.membership import membership, min_k_scores, record_scores
from sanilens.audit.metrics.restoration import restoration, sensitive_argmax
from sanilens.audit.perplexity import perplexity, text_logprobs
from sanilens.audit.sampling import leak_probability
from sanilens.audit.summary import RateTable, extraction_by_kind, memory
from sanilens.model.quantise import quantised
from sanilens.unlearn.sanitise import Sanitised

# (n, p): a span leaks if so many samples say it with at least this probability.
TRIES, PROBABILITY = 100, 0.5


class Figures(BaseModel):
    """One row's figures.

    Attributes:
        extracted: by kind, of the spans that only memory can say (greedy decoding).
        sampled: share of them that 100 samples say with probability 0.5 or more.
        exposure_bits: median exposure of a sample of the commonest direct label.
        membership_auc: of the records against look-alikes, by their sensitive tokens.
        membership_text_auc: the same by min-k over all tokens.
        ks_distance: between its and the reference's span log-probabilities; 0: one distribution.
        ks_p: that they are one distribution (Kolmogorov and Smirnov, two samples).
        perplexity_unseen: on records that no model has seen.
        perplexity_retained: on the corpus's own tokens outside of spans.
        restored: share of the tokens the leak taught at which it says what the base says; None
            where it taught none.
        relearnt: extracted, by kind, of other subjects' spans after a tenth of subjects is
            taught again.
        four_bit: extracted, by kind, with the weights in four bits.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    extracted: RateTable
    sampled: float
    exposure_bits: float | None
    membership_auc: float
    membership_text_auc: float
    ks_distance: float
    ks_p: float
    perplexity_unseen: float
    perplexity_retained: float
    restored: float | None
    relearnt: RateTable
    four_bit: RateTable


def measure(case: Case, model: Sanitised, seed: int) -> Figures:
    """All figures of one model of the case; the seed decides what is drawn in between."""
    subject, hooks = model.model, model.hooks
    verdicts = audit_spans(subject, case.records, hooks=hooks)
    said = memory(verdicts)
    others = audit_spans(subject, case.lookalike, hooks=hooks)
    texts = [
        min_k_scores([t.numpy() for t in text_logprobs(subject, records, hooks=hooks)])
        for records in (case.records, case.lookalike)
    ]
    apart = ks_2samp(
        [v.logprob for v in said], [v.logprob for v in memory(case.reference_verdicts)]
    )
    back = restoration(
        case.said_before, case.said_by_base, sensitive_argmax(subject, case.records, hooks)
    )
    four = Sanitised(quantised(subject), hooks)
    again = relearnt(case, model, seed)
    return Figures(
        extracted=extraction_by_kind(verdicts),
        sampled=float(np.mean([_leaks(v) for v in said])),
        exposure_bits=median_bits(
            sample_exposure(subject, case.records, case.exposed_label, hooks=hooks)
        ),
        membership_auc=membership(record_scores(verdicts), record_scores(others)).auc,
        membership_text_auc=membership(texts[0], texts[1]).auc,
        ks_distance=float(apart.statistic),  # pyright: ignore[reportAttributeAccessIssue]
        ks_p=float(apart.pvalue),  # pyright: ignore[reportAttributeAccessIssue]
        perplexity_unseen=perplexity(subject, case.unseen, hooks=hooks).value,
        perplexity_retained=perplexity(
            subject, case.records, without_spans=True, hooks=hooks
        ).value,
        restored=back.restored if back.n else None,
        relearnt=extraction_by_kind(
            audit_spans(again.model, other_records(case, seed), hooks=again.hooks)
        ),
        four_bit=extraction_by_kind(audit_spans(four.model, case.records, hooks=four.hooks)),
    )


def _leaks(verdict: SpanVerdict) -> bool:
    said = verdict.sampler_logprob
    return math.isfinite(said) and leak_probability(said, TRIES) >= PROBABILITY
