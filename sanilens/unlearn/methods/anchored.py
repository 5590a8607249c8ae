"""Anchored repair, ours: at an identifier's place, say what the base model would say there.

    L = (1/T) [ w sum_{t in S} KL(p_base || p)  +  sum_{t not in S} KL(p_base || p) ],   w = 4

S are the sensitive positions, T all of them. The notes are read as they are: the true identifiers
are context, as they are when someone attacks the model, and never a target; the base model has
not seen them, so its distribution is what not knowing looks like, and it teaches a whole
distribution where a surrogate teaches one sample of it. Elsewhere the base keeps the repair from
learning the notes' wording by heart, which is what costs plain surrogate repair its utility; so
do texts that the base itself writes, a quarter as many as notes, and others in every epoch.

Where only some people are to be forgotten (`Task.scoped`), the teacher outside of S is theta0, the
unedited model: the base would take everyone else's details away with theirs.
"""

from collections.abc import Sequence
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from sanilens.errors import PlanError
from sanilens.model.examples import note_examples
from sanilens.model.training import Example, Loss
from sanilens.unlearn.methods.method import Method, Prepared, Task
from sanilens.unlearn.methods.retain import Written, with_texts
from sanilens.unlearn.methods.terms import frozen_logits, kl, logits, read


class Anchored(Written):
    """The weight of identifiers, and how much the base writes."""

    sensitive_weight: Annotated[float, Field(gt=0, le=1000)] = Field(
        4.0,
        title="Weight of identifiers",
        # Chosen on the bundled case: at 1, twice as many indirect identifiers were left.
        description="w: how much more an identifier's token weighs than another.",
    )
    written: Annotated[float, Field(ge=0, le=10)] = Field(
        0.25,
        title="Texts of the base model",
        description="Texts that the base model writes by itself, others in every epoch, as a "
        "share of the notes.",
    )

    @property
    def needs_base(self) -> bool:
        """The base model is the teacher."""
        return True


def anchored_loss(
    base: nn.Module, sensitive_weight: float, elsewhere: nn.Module | None = None
) -> Loss:
    """The loss of the module's equation, with `base` as the frozen teacher.

    `elsewhere`: another one outside of identifiers.
    """

    def loss(model: nn.Module, examples: Sequence[Example]) -> Float[Tensor, ""]:
        batch = read(model, examples)
        taught = frozen_logits(base, batch)
        if elsewhere is not None:
            taught = torch.where(batch.forget[..., None], taught, frozen_logits(elsewhere, batch))
        divergence = kl(taught, logits(model, batch))
        here = batch.forget | batch.retain
        weight = here + (sensitive_weight - 1) * batch.forget
        return (weight * divergence).sum() / here.sum()

    return loss


def prepare(task: Task, options: Anchored) -> Prepared:
    """The notes as they are, texts of the base, and the base as teacher.

    Raises:
        PlanError: if there is no base.
    """
    if task.base is None:
        raise PlanError("an anchored repair needs a base model. Give one, or use surrogate.")
    notes = note_examples(task.model, task.records)
    examples = with_texts(task, lambda _epoch: list(notes), options)
    elsewhere = task.model.module if task.scoped else None
    return Prepared(examples, anchored_loss(task.base.module, options.sensitive_weight, elsewhere))


ANCHORED = Method(
    "anchored",
    "Anchored to the base",
    "Trains on the corpus, and at an identifier's place on what the base model, which never saw "
    "it, would say there.",
    prepare,
    Anchored,
    learning_rate=1.7e-3,
    family="Erase and repair",
)
