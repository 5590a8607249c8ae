"""Extraction: of the spans that only memory can give, those that greedy decoding says."""

from sanilens.audit.metrics.metric import Metric
from sanilens.audit.summary import extraction_by_kind

EXTRACTION = Metric(
    name="extraction",
    title="all spans, %",
    meaning="Spans of any kind extracted by greedy decoding.",
    unit="share",
    better="lower",
    measure=lambda trial: extraction_by_kind(trial.verdicts),
)
