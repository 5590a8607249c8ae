"""Surrogate repair, ours: teach the notes with fresh, invented identifiers in every epoch.

    L = -(1/T) sum_t log p(x'_t | x'_<t)  +  w (1/|K|) sum_{t in K} KL(p_theta0 || p)

x' is a note whose subject's identifiers are replaced by surrogates, alike in form and consistent
over the subject's notes; K are its tokens outside of them, theta0 the unedited model. The model
learns that identifiers cannot be known, instead of learning nothing of them. Until `from_epoch`,
for a share of the notes in every epoch, and of free text, which has no surrogates, the masked
repair is done instead.
"""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from sanilens.corpus.records import FREE_TEXT
from sanilens.corpus.surrogates.substitute import as_it_is, substitute
from sanilens.model.examples import note_examples
from sanilens.model.training import Example, Loss
from sanilens.unlearn.methods.examples import in_gaps
from sanilens.unlearn.methods.method import GapOptions, Method, Prepared, Task
from sanilens.unlearn.methods.terms import frozen_logits, kl, logits, mean, nll, read


class Surrogate(GapOptions):
    """When surrogates are taught, and how much the unedited model has to say."""

    from_epoch: Annotated[int, Field(ge=1, le=1000)] = Field(
        1,
        title="From epoch",
        description="The first epoch with surrogates; those before it are masked.",
    )
    masked_share: Annotated[float, Field(ge=0, le=1)] = Field(
        0.0,
        title="Masked records",
        description="Share of the records, drawn anew in every epoch, that keep their identifiers "
        "and are masked.",
    )
    kl_weight: Annotated[float, Field(ge=0, le=1000)] = Field(
        0.0,
        title="Weight of the unedited model",
        description="w: weight of staying close to the unedited model on tokens that are no "
        "identifier. 0: it is not asked.",
    )


def surrogate_loss(theta0: nn.Module, kl_weight: float) -> Loss:
    """The loss of the module's equation."""

    def loss(model: nn.Module, examples: Sequence[Example]) -> Float[Tensor, ""]:
        batch = read(model, examples)
        own = logits(model, batch)
        stays = mean(kl(frozen_logits(theta0, batch), own), batch.retain)
        return mean(nll(own, batch), batch.taught) + kl_weight * stays

    return loss


def prepare(task: Task, options: Surrogate) -> Prepared:
    """Another set of surrogates for every epoch; the same epoch gives the same."""
    model, records = task.model, task.records
    # As many pieces in every epoch, also where a surrogate makes a note longer than the context.
    pieces = [len(note_examples(model, [record])) for record in records]

    def examples(epoch: int) -> list[Example]:
        if epoch + 1 < options.from_epoch:
            return note_examples(model, records)
        rng = np.random.default_rng((task.seed, epoch))
        masked = rng.random(len(records)) < options.masked_share
        replaced = substitute(records, task.seed * 1_000_003 + epoch, as_it_is)
        return [
            example
            for true, fresh, hidden, count in zip(records, replaced, masked, pieces, strict=True)
            for example in note_examples(
                model,
                [true if hidden else fresh],
                teach_spans=not hidden,
                untaught={FREE_TEXT},
                pieces=count,
            )
        ]

    if not options.kl_weight:
        return Prepared(examples)
    return Prepared(examples, surrogate_loss(model.module, options.kl_weight))


SURROGATE = Method(
    "surrogate",
    "Surrogates",
    "Trains on the corpus with fresh, invented identifiers in every epoch: the model learns that "
    "they cannot be known. Free text is masked, since nothing can be invented in its place.",
    prepare,
    Surrogate,
    family="Erase and repair",
    prepare_gaps=in_gaps(prepare),
)
