"""What must stay: the retain half of the field's forget-and-retain methods.

    L = gamma forget + alpha retain,   retain = NLL, or KL(theta0 || theta), mean over R

R are the targets to be kept: every token of the corpus that lies in no span, with the identifiers
before it as context, and every token of further text: what the base model writes by itself
(`written`), and the task's own retain records. A note's identifiers and its wording so share one
forward pass. Equations as in open-unlearning (arXiv 2506.12618), on the identifiers' tokens F.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal

from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from sanilens.errors import PlanError
from sanilens.unlearn.methods.examples import drawn, note_examples
from sanilens.unlearn.methods.method import Options, Prepared, Task
from sanilens.unlearn.methods.terms import (
    Batch,
    Logits,
    frozen_logits,
    kl,
    logits,
    mean,
    nll,
    read,
)
from sanilens.unlearn.methods.written import base_texts
from sanilens.unlearn.training import Example


@dataclass(frozen=True, slots=True)
class Seen:
    """A batch as the models see it.

    Attributes:
        model: the model that is trained.
        batch: the batch.
        own: its logits.
        theta0: gives theta0's logits; asked only where a loss needs them.
    """

    model: nn.Module
    batch: Batch
    own: Logits
    theta0: Callable[[], Logits]


Forget = Callable[[Seen], Tensor]
"""The forget term of a batch."""


class Written(Options):
    """Options of a method that may read texts of the base model too."""

    written: Annotated[float, Field(ge=0, le=10)] = Field(
        0.0,
        title="Texts of the base model",
        description="Texts that the base model writes by itself, others in every epoch, as a "
        "share of the notes. 0: none. More than 0 needs a base model.",
    )

    @property
    def needs_base(self) -> bool:
        """The base model writes them."""
        return self.written > 0


class Weighted(Written):
    """Options of a method with two halves."""

    forget_weight: Annotated[float, Field(ge=0, le=1000)] = Field(
        1.0, title="Weight of forgetting", description="gamma: weight of the forget term."
    )
    retain_weight: Annotated[float, Field(ge=0, le=1000)] = Field(
        1.0,
        title="Weight of what must stay",
        description="alpha: weight of the loss on tokens that are no identifier.",
    )


class Retain(Weighted):
    """The same with a choice of the retain loss."""

    retain_loss: Literal["nll", "kl"] = Field(
        "nll",
        title="Loss on what must stay",
        description="nll teaches the tokens themselves; kl teaches what the model said before.",
    )


def forget_and_retain(
    task: Task,
    options: Weighted,
    forget: Forget,
    retain: Literal["nll", "kl"],
    examples: Callable[[int], list[Example]] | None = None,
) -> Prepared:
    """A method of the module's equation.

    Args:
        task: what to forget.
        options: the weights, and how much the base writes.
        forget: the forget term.
        retain: the retain loss.
        examples: an epoch's notes; as they are unless given.

    Raises:
        PlanError: if texts of a base are asked for and there is none.
    """
    theta0 = task.subject.model
    notes = note_examples(task.subject, task.records)

    def loss(model: nn.Module, given: Sequence[Example]) -> Float[Tensor, ""]:
        batch = read(model, given)
        seen = Seen(model, batch, logits(model, batch), cache(lambda: frozen_logits(theta0, batch)))
        total = options.forget_weight * forget(seen)
        if options.retain_weight:
            values = nll(seen.own, batch) if retain == "nll" else kl(seen.theta0(), seen.own)
            total = total + options.retain_weight * mean(values, batch.retain)
        return total

    return Prepared(with_texts(task, examples or (lambda _epoch: notes), options), loss)


def with_texts(
    task: Task, notes: Callable[[int], list[Example]], options: Written
) -> Callable[[int], list[Example]]:
    """Each epoch's notes, and what else is to be kept.

    Retain records come as many an epoch as notes, all of them before any comes again.

    Raises:
        PlanError: if texts of a base are asked for and there is none.
    """
    first = notes(0)
    count, longest = round(options.written * len(task.records)), max(len(e.ids) for e in first)
    if count and task.base is None:
        raise PlanError("texts of the base model need a base model. Give one, or set written to 0.")
    written: list[Example] = []
    if count and task.base:
        written = base_texts(task.base, count * task.epochs, longest, task.seed)
    kept = note_examples(task.subject, task.retain)

    def examples(epoch: int) -> list[Example]:
        texts = written[epoch * count : (epoch + 1) * count]
        return notes(epoch) + texts + drawn(kept, len(first), epoch, task.seed)

    return examples
