"""DPO: prefer a placeholder to the identifier.

    L = gamma (1/n) sum_i -(2/beta) log sg( beta (D(r_i) - D(s_i)) ) + alpha retain
    D(y) = log p_theta(y | x_<s_i) - log p_theta0(y | x_<s_i)

r_i is the placeholder in the place of identifier s_i, as in methods/idk.py; log p is summed over
tokens. Rafailov et al., arXiv 2305.18290; `IdkDPO` in open-unlearning, beta 0.1.
"""

from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.nn.functional import logsigmoid

from sanilens.model.examples import note_examples
from sanilens.model.language_model import LanguageModel
from sanilens.unlearn.methods.idk import NOT_RECORDED, Placeholder
from sanilens.unlearn.methods.method import Method, Prepared, Task
from sanilens.unlearn.methods.retain import Retain, Seen, forget_and_retain
from sanilens.unlearn.methods.terms import mean, nll, nll_instead, per_answer, replaceable


class Dpo(Retain):
    """What to say instead, and how far to go."""

    placeholder: Placeholder = NOT_RECORDED
    beta: Annotated[float, Field(gt=0, le=100)] = Field(
        0.1,
        title="Beta",
        description="The higher, the sooner a placeholder counts as preferred.",
    )


def preference(
    win: Float[Tensor, " answer"], lose: Float[Tensor, " answer"], beta: float
) -> Float[Tensor, ""]:
    """The forget term of the module's equation, from D of both answers."""
    return mean(-(2 / beta) * logsigmoid(beta * (win - lose)))


def dpo(model: LanguageModel, seen: Seen, beta: float) -> Float[Tensor, ""]:
    """The forget term for a batch; `model` is theta0."""
    batch = replaceable(seen.batch)
    with torch.no_grad():
        before = nll_instead(model, model.module, batch)
    win = before - nll_instead(model, seen.model, batch)
    lose = per_answer(nll(seen.theta0(), batch) - nll(seen.own, batch), batch)
    return preference(win, lose, beta)


def prepare(task: Task, options: Dpo) -> Prepared:
    """The notes as they are, each identifier with its placeholder."""
    notes = note_examples(task.model, task.records, instead=lambda *_: options.placeholder)
    return forget_and_retain(
        task,
        options,
        lambda seen: dpo(task.model, seen, options.beta),
        options.retain_loss,
        lambda _epoch: notes,
    )


DPO = Method(
    "dpo",
    "Placeholder preferred (DPO)",
    "Makes a placeholder more likely than the identifier, compared with the model before.",
    prepare,
    Dpo,
)
