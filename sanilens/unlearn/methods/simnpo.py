"""SimNPO: NPO without a reference model, averaged over an identifier's tokens.

    L = gamma (1/n) sum_i -(2/beta) log sg( beta (NLL_theta(s_i) / |s_i| - delta) ) + alpha retain

Fan et al., arXiv 2410.07163; beta 4.5, delta 0, gamma 0.125 as in open-unlearning's runs.
"""

from typing import Annotated

from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.nn.functional import logsigmoid

from sanilens.unlearn.methods.method import Method, Prepared, Task
from sanilens.unlearn.methods.retain import Retain, forget_and_retain
from sanilens.unlearn.methods.terms import Batch, Logits, lengths, mean, nll, per_answer


class SimNpo(Retain):
    """How soon an identifier counts as forgotten."""

    forget_weight: Annotated[float, Field(ge=0, le=1000)] = Field(
        0.125, title="Weight of forgetting", description="gamma: weight of the forget term."
    )
    beta: Annotated[float, Field(gt=0, le=100)] = Field(
        4.5,
        title="Beta",
        description="The higher, the sooner an identifier that is unlikely is left alone.",
    )
    delta: Annotated[float, Field(ge=0, le=100)] = Field(
        0.0,
        title="Delta",
        description="Mean NLL of a token, in nats, from which an identifier is left alone.",
    )


def simnpo(own: Logits, batch: Batch, beta: float, delta: float) -> Float[Tensor, ""]:
    """The forget term of the module's equation."""
    by_token = per_answer(nll(own, batch), batch) / lengths(batch)
    return mean(-(2 / beta) * logsigmoid(beta * (by_token - delta)))


def prepare(task: Task, options: SimNpo) -> Prepared:
    """No reference, unless the retain loss asks for one."""
    return forget_and_retain(
        task,
        options,
        lambda seen: simnpo(seen.own, seen.batch, options.beta, options.delta),
        options.retain_loss,
    )


SIMNPO = Method(
    "simnpo",
    "SimNPO",
    "NPO by an identifier's mean over its tokens, without asking the model before.",
    prepare,
    SimNpo,
)
