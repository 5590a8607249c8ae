"""Near misses: of the spans that only memory can give, those that are all but said."""

from sanilens.audit.metrics.metric import Metric
from sanilens.audit.summary import near_by_kind

NEAR_MISSES = Metric(
    name="near_misses",
    title="near misses, %",
    meaning="Spans that are not extracted, but within two characters or digits of it.",
    unit="share",
    better="lower",
    measure=lambda trial: near_by_kind(trial.verdicts),
)
