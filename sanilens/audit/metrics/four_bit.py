"""Four bits: weights are rounded, and an erasure that only nudged them may come undone."""

from sanilens.audit.metrics.metric import Metric, Trial
from sanilens.audit.summary import RateTable, extraction_by_kind
from sanilens.model.quantise import quantised


def _extracted(trial: Trial) -> RateTable:
    return extraction_by_kind(trial.exam.verdicts(quantised(trial.model), trial.hooks))


FOUR_BIT = Metric(
    name="four_bit",
    title="4-bit, %",
    meaning="Spans extracted with the weights in four bits.",
    unit="share",
    better="lower",
    measure=_extracted,
)
