"""UNDIAL: the model teaches itself, with each token of an identifier made less likely.

    L = gamma (1/|F|) sum_{t in F} CE( q_t, p_t ) + alpha retain
    q_t = softmax( z_theta0,t - beta onehot(x_t) ),   z the logits

Dong et al., arXiv 2402.10052; beta 10, alpha 0 as in open-unlearning's runs, whose code averages
over prompt and padding too; here over the identifiers' tokens only.
"""

from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from sanilens.unlearn.methods.method import Method, Prepared, Task
from sanilens.unlearn.methods.retain import Retain, forget_and_retain
from sanilens.unlearn.methods.terms import Batch, Logits, mean


class Undial(Retain):
    """How far the teacher's logit of an identifier's token is lowered."""

    retain_weight: Annotated[float, Field(ge=0, le=1000)] = Field(
        0.0,
        title="Weight of what must stay",
        description="alpha: weight of the loss on tokens that are no identifier.",
    )
    beta: Annotated[float, Field(gt=0, le=1000)] = Field(
        10.0, title="Beta", description="Taken from the teacher's logit of an identifier's token."
    )


def taught(theta0: Logits, batch: Batch, beta: float) -> Logits:
    """q of the module's equation, at every target."""
    lowered = torch.full_like(batch.targets, -beta, dtype=theta0.dtype)[..., None]
    return theta0.scatter_add(-1, batch.targets[..., None], lowered).softmax(-1)


def undial(own: Logits, theta0: Logits, batch: Batch, beta: float) -> Float[Tensor, ""]:
    """The forget term of the module's equation."""
    target = taught(theta0, batch, beta)
    return mean(-(target * own.log_softmax(-1)).sum(-1), batch.forget)


def prepare(task: Task, options: Undial) -> Prepared:
    """The unedited model is the teacher."""
    return forget_and_retain(
        task,
        options,
        lambda seen: undial(seen.own, seen.theta0(), seen.batch, options.beta),
        options.retain_loss,
    )


UNDIAL = Method(
    "undial",
    "UNDIAL",
    "Teaches at an identifier's place what the model itself would say without that token.",
    prepare,
    Undial,
)
