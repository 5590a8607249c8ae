"""ME+GD: all tokens equally likely in an identifier's place, the notes as they are elsewhere.

    L = gamma (1/|F|) sum_{t in F} KL( U || p_t ) + alpha CE_R,   U uniform over the vocabulary V
    KL( U || p ) = - log |V| - (1/|V|) sum_v log p(v)

Yuan et al., "A Closer Look at Machine Unlearning", arXiv 2410.08109; gamma 0.1 as on TOFU. The
paper words the KL the other way round; this is what its code computes. There it is taken over the
question too; here over the identifiers' tokens, since the rest of the note is to be kept.
"""

import math
from typing import Annotated

from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from sanilens.unlearn.methods.method import Method, Prepared, Task
from sanilens.unlearn.methods.retain import Weighted, forget_and_retain
from sanilens.unlearn.methods.terms import Batch, Logits, mean


class MeGd(Weighted):
    """The weights of both halves."""

    forget_weight: Annotated[float, Field(ge=0, le=1000)] = Field(
        0.1, title="Weight of forgetting", description="gamma: weight of the forget term."
    )


def from_uniform(own: Logits, batch: Batch) -> Float[Tensor, ""]:
    """The forget term of the module's equation."""
    divergence = -math.log(own.shape[-1]) - own.log_softmax(-1).mean(-1)
    return mean(divergence, batch.forget)


def prepare(task: Task, options: MeGd) -> Prepared:
    """Uniform at identifiers, and the tokens themselves as what must stay."""
    return forget_and_retain(task, options, lambda seen: from_uniform(seen.own, seen.batch), "nll")


ME_GD = Method(
    "me-gd",
    "Maximum entropy",
    "Makes every token alike at an identifier's place and teaches the rest of the corpus again.",
    prepare,
    MeGd,
)
