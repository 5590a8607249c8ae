"""Stranger repair, ours: at an identifier's place, say what is said there of somebody unknown.

    L = (1/T) [ w sum_{t in S} KL(q_t || p)  +  sum_{t not in S} KL(p_theta0 || p) ],   w = 4

S are the sensitive positions, T all of them; q is the examined model's own answer where everything
sensitive before the place is somebody else's (model/teachers.py), computed once. Everywhere else,
and on further texts of the domain, the examined model theta0 is its own teacher, so the repair
takes away whom the model knows and leaves what it knows. It needs neither a base nor clean data,
and what fine-tuning taught of the form stays: a stranger has a record number too.
"""

from collections.abc import Sequence
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from sanilens.corpus.records import as_text
from sanilens.model.examples import note_examples
from sanilens.model.lessons import lessons
from sanilens.model.teachers import Soft, joined, teach
from sanilens.model.training import Example, Loss
from sanilens.unlearn.methods.examples import drawn
from sanilens.unlearn.methods.method import Method, Options, Prepared, Task
from sanilens.unlearn.methods.terms import frozen_logits, kl, logits, read

# Further texts that are read along for each note of the corpus, in an epoch.
_KEPT_A_NOTE = 3


class Stranger(Options):
    """The weight of identifiers, and of how many strangers the answer is the mean."""

    sensitive_weight: Annotated[float, Field(ge=0, le=1000)] = Field(
        4.0,
        title="Weight of identifiers",
        description="w: how much more an identifier's token weighs than another.",
    )
    strangers: Annotated[int, Field(ge=1, le=64)] = Field(
        3,
        title="Strangers",
        description="In how many invented persons' notes the model is asked what it would say.",
    )


def stranger_loss(
    theta0: nn.Module, answers: dict[Example, tuple[tuple[int, ...], Soft]], weight: float
) -> Loss:
    """The loss of the module's equation.

    Args:
        theta0: the examined model, frozen.
        answers: of the examples in which something is sensitive, the columns and what to say there.
        weight: w.
    """

    def loss(model: nn.Module, examples: Sequence[Example]) -> Float[Tensor, ""]:
        batch = read(model, examples)
        own = logits(model, batch)
        stays = (kl(frozen_logits(theta0, batch), own) * batch.retain).sum()
        places = [
            (row, column - 1)
            for row, example in enumerate(examples)
            for column in answers.get(example, ((), None))[0]
        ]
        if places:
            rows, columns = torch.tensor(places, device=own.device).T
            soft = joined([answers[e][1] for e in examples if e in answers])
            stays = stays + weight * soft.kl(own[rows, columns]).sum()
        return stays / (batch.retain | batch.forget).sum()

    return loss


def prepare(task: Task, options: Stranger) -> Prepared:
    """The notes as they are, further texts of the domain, and the strangers' answers."""
    model = task.model
    taught = teach("stranger", model, task.records, seed=task.seed, draws=options.strangers)
    notes = lessons(model, task.records, taught)
    answers = {each.example: (each.columns, each.soft) for each in notes if each.columns}
    pool = note_examples(model, as_text(task.retain))
    # As many as keep an epoch short; another part of them in every epoch.
    count = min(len(pool), _KEPT_A_NOTE * len(notes))

    def examples(epoch: int) -> list[Example]:
        return [each.example for each in notes] + drawn(pool, count, epoch, task.seed)

    return Prepared(examples, stranger_loss(model.module, answers, options.sensitive_weight))


STRANGER = Method(
    "stranger",
    "As of a stranger",
    "Trains the model to say, in an identifier's place, what it would say of somebody it has never "
    "met, and everywhere else what it says now. Needs no base model.",
    prepare,
    Stranger,
    learning_rate=1e-3,
    epochs=1,
    family="Ours",
)
