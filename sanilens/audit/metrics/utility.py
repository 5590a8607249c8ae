"""What a model is still good for: perplexity on what it should go on knowing."""

from sanilens.audit.metrics.metric import Metric, Trial
from sanilens.audit.perplexity import perplexity


def _unseen(trial: Trial) -> float:
    return trial.unseen.value


def _retained(trial: Trial) -> float:
    records = trial.exam.records
    return perplexity(trial.model, records, without_spans=True, hooks=trial.hooks).value


PERPLEXITY_UNSEEN = Metric(
    name="perplexity_unseen",
    title="ppl unseen",
    meaning="Perplexity on records that no model has seen.",
    unit="perplexity",
    better="lower",
    measure=_unseen,
    needs=("unseen",),
)
PERPLEXITY_RETAINED = Metric(
    name="perplexity_retained",
    title="ppl retained",
    meaning="Perplexity on the corpus's own wording.",
    unit="perplexity",
    better="lower",
    measure=_retained,
)
