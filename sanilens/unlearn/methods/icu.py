"""ICU: ascent only on what is still extracted; each identifier stops, and returns, by itself.

    L = - gamma CE_E + alpha CE_R + w (1/|R|) sum_{t in R} CE( p_theta0, p )

E are the tokens of those identifiers that are extracted at this moment: the most likely token is
the right one at every place, which is what greedy decoding after the true text would say. The
check is read from the step's own logits, so it costs nothing and each identifier is looked at
once an epoch. Tang et al., arXiv 2407.20271 (alpha 0.5, w 1); they generate, stop an item by
BLEU or BERTScore, and take the nearest other sample as R, where we take the notes' other tokens.
"""

from typing import Annotated

from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor

from sanilens.unlearn.methods.method import Method, Prepared, Task
from sanilens.unlearn.methods.retain import Seen, Weighted, forget_and_retain
from sanilens.unlearn.methods.terms import Batch, Logits, lengths, mean, nll, per_answer


class Icu(Weighted):
    """The weights of what must stay."""

    retain_weight: Annotated[float, Field(ge=0, le=1000)] = Field(
        0.5,
        title="Weight of what must stay",
        description="alpha: weight of the loss on tokens that are no identifier.",
    )
    teacher_weight: Annotated[float, Field(ge=0, le=1000)] = Field(
        1.0,
        title="Weight of the model before",
        description="w: weight of what the model said before, on tokens that are no identifier.",
    )


def extracted(own: Logits, batch: Batch) -> Bool[Tensor, " answer"]:
    """Which answers greedy decoding would give."""
    wrong = (own.argmax(-1) != batch.targets).to(own.dtype)
    return per_answer(wrong, batch) == 0


def ascent_on_extracted(own: Logits, batch: Batch) -> Float[Tensor, ""]:
    """-CE_E of the module's equation; 0 where nothing is extracted any more."""
    if not batch.answers:
        return own.new_zeros(())
    left = extracted(own, batch)
    # Over the tokens of what is left, not of all: else the last identifiers would barely be pushed.
    tokens = (lengths(batch) * left).sum().clamp(min=1)
    return -(per_answer(nll(own, batch), batch) * left).sum() / tokens


def icu(seen: Seen, options: Icu) -> Float[Tensor, ""]:
    """Ascent, and what the model before would say about everything else."""
    teacher = seen.theta0().softmax(-1)
    # Cross-entropy with the teacher, not KL: they differ by the teacher's entropy, a constant.
    kept = -(teacher * seen.own.log_softmax(-1)).sum(-1)
    stays = mean(kept, seen.batch.retain)
    ascent = ascent_on_extracted(seen.own, seen.batch)
    return options.forget_weight * ascent + options.teacher_weight * stays


def prepare(task: Task, options: Icu) -> Prepared:
    """The notes as they are; the unedited model is theta0."""
    # `icu` weighs its own two terms; `forget_and_retain` must not weigh them once more, and brings
    # only the third, alpha CE_R.
    whole = options.model_copy(update={"forget_weight": 1.0})
    return forget_and_retain(task, whole, lambda seen: icu(seen, options), "nll")


ICU = Method(
    "icu",
    "Iterative stopping (ICU)",
    "Gradient ascent on those identifiers only that the model still says, each until it is gone.",
    prepare,
    Icu,
)
