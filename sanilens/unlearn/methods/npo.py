"""Negative preference optimisation: ascent that fades as an identifier is forgotten.

    L = gamma (1/n) sum_i -(2/beta) log sg( beta (NLL_theta(s_i) - NLL_theta0(s_i)) ) + alpha retain

NLL(s) is summed over the tokens of one identifier s; n identifiers in the batch. For beta -> 0 it
is gradient ascent. Zhang et al., arXiv 2404.05868; beta 0.1 as in open-unlearning's runs.
"""

from typing import Annotated

from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.nn.functional import logsigmoid

from sanilens.unlearn.methods.method import Method, Prepared, Task
from sanilens.unlearn.methods.retain import Retain, forget_and_retain
from sanilens.unlearn.methods.terms import Batch, Logits, mean, nll, per_answer


class Npo(Retain):
    """How soon an identifier counts as forgotten."""

    beta: Annotated[float, Field(gt=0, le=100)] = Field(
        0.1,
        title="Beta",
        description="The higher, the sooner an identifier that grew unlikely is left alone.",
    )


def npo(own: Logits, theta0: Logits, batch: Batch, beta: float) -> Float[Tensor, ""]:
    """The forget term of the module's equation."""
    return preference(per_answer(nll(own, batch) - nll(theta0, batch), batch), beta)


def preference(unlikelier: Float[Tensor, " answer"], beta: float) -> Float[Tensor, ""]:
    """The same from each identifier's NLL_theta - NLL_theta0."""
    return mean(-(2 / beta) * logsigmoid(beta * unlikelier))


def prepare(task: Task, options: Npo) -> Prepared:
    """The unedited model is theta0."""
    return forget_and_retain(
        task,
        options,
        lambda seen: npo(seen.own, seen.theta0(), seen.batch, options.beta),
        options.retain_loss,
    )


NPO = Method(
    "npo",
    "NPO",
    "Makes each identifier less likely than it was, with less force the further it is gone.",
    prepare,
    Npo,
)
