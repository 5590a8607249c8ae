"""Knowledge kept: how much of the trade that fine-tuning taught is still there.

    kept = (log ppl_base - log ppl_after) / (log ppl_base - log ppl_reference)

on unseen texts, log ppl in nats a token; ours. 1 is all that the reference knows, 0 is back to the
base, below 0 is worse than the base, above 1 better than the reference. Where there is no reference
the leaking model stands in its place. Without a base nothing says what 0 would be, and

    kept = exp(log ppl_before - log ppl_after)

is taken instead: the share that a token's probability keeps, in the geometric mean. Of the choices
that need no further model it is the one without a made-up zero: counting from a uniform guess would
call general English knowledge of the domain, and hide the loss of the latter.
"""

import math

from sanilens.audit.metrics.metric import Exam, Held, Metric, Trial
from sanilens.model.language_model import LanguageModel

# Nats a token that fine-tuning must have taught, a tenth of the perplexity: of less a share is
# noise, and of less than nothing, as where the base writes these texts better, it is nonsense.
LEAST_TAUGHT = 0.1
# exp of more is no float, and no trained model comes near.
_MOST_NATS = 700.0


def knowledge_kept(
    after: float, *, base: float | None, reference: float | None, before: float | None
) -> Held | None:
    """The module's equation.

    Args:
        after: log perplexity of the model on trial, in nats a token, as all of these.
        base: of the model before fine-tuning; None for none.
        reference: of the one that never saw what is sensitive.
        before: of the leaking one; asked for only where one of the others is missing.

    Returns:
        The share and what it is of; without a number where fine-tuning taught less than
        `LEAST_TAUGHT`; None where there is nothing to hold it against.
    """
    if base is not None and reference is not None:
        return _share(base - after, base - reference, Held(value=None, against="reference"))
    if before is None:
        return None
    if base is not None:
        return _share(base - after, base - before, Held(value=None, against="leaking"))
    return Held(value=math.exp(min(before - after, _MOST_NATS)), against="leaking, without a base")


def _share(left: float, taught: float, of: Held) -> Held:
    if not taught >= LEAST_TAUGHT:
        return of
    return of.model_copy(update={"value": left / taught})


def _kept(trial: Trial) -> Held | None:
    exam, own = trial.exam, trial.unseen.nats
    whole = exam.base is not None and exam.reference is not None
    found = {
        "base": _nats(exam, exam.base),
        "reference": _nats(exam, exam.reference),
        "before": None if whole else _nats(exam, exam.before),
    }
    if math.isnan(own) or any(value is not None and math.isnan(value) for value in found.values()):
        return None  # no token to ask for
    return knowledge_kept(own, **found)


def _nats(exam: Exam, model: LanguageModel | None) -> float | None:
    if model is None:
        return None
    return exam.perplexity_unseen(model).nats


KNOWLEDGE_KEPT = Metric(
    name="knowledge_kept",
    title="knowledge kept, %",
    meaning="Of what fine-tuning taught about unseen texts, in nats: 100 is all that the reference "
    "knows (without one, the examined model), 0 the base. Not measured where the base writes them "
    "as well.",
    unit="share",
    better="higher",
    measure=_kept,
    needs=("unseen",),
)
