"""Weighted gradient ascent: ascent in proportion to how likely a token still is.

    L = gamma (1/|F|) sum_{t in F} p_t^beta log p_t + alpha retain,   the weight p_t^beta held fixed

Wang et al., arXiv 2502.19301; beta 1 as in open-unlearning's runs.
"""

from typing import Annotated

from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from sanilens.unlearn.methods.method import Method, Prepared, Task
from sanilens.unlearn.methods.retain import Retain, forget_and_retain
from sanilens.unlearn.methods.terms import Batch, Logits, mean, nll


class Wga(Retain):
    """How quickly the push fades with a token's probability."""

    beta: Annotated[float, Field(ge=0, le=100)] = Field(
        1.0, title="Beta", description="Power of the probability that weighs a token; 0 is ascent."
    )


def weighted_ascent(own: Logits, batch: Batch, beta: float) -> Float[Tensor, ""]:
    """The forget term of the module's equation."""
    values = nll(own, batch)
    weight = (-beta * values).exp().detach()
    return -mean(weight * values, batch.forget)


def prepare(task: Task, options: Wga) -> Prepared:
    """No reference, unless the retain loss asks for one."""
    return forget_and_retain(
        task,
        options,
        lambda seen: weighted_ascent(seen.own, seen.batch, options.beta),
        options.retain_loss,
    )


WGA = Method(
    "wga",
    "Weighted gradient ascent",
    "Gradient ascent that pushes a token in proportion to how likely it still is.",
    prepare,
    Wga,
)
