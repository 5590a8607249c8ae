"""Gradient ascent: make the identifiers unlikely.

    L = - CE_F,   CE_F = -(1/|F|) sum_{t in F} log p(x_t | x_<t),   F the identifiers' tokens

Jang et al., arXiv 2210.01504; `GradAscent` in open-unlearning. Nothing holds the model back:
too many steps, or too long ones, and it says nothing sensible at all.
"""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from sanilens.model.examples import note_examples
from sanilens.model.training import Example
from sanilens.unlearn.methods.method import Method, Options, Prepared, Task
from sanilens.unlearn.methods.terms import Batch, Logits, logits, mean, nll, read


def ascent(own: Logits, batch: Batch) -> Float[Tensor, ""]:
    """-CE_F of the module's equation."""
    return -mean(nll(own, batch), batch.forget)


def prepare(task: Task, options: Options) -> Prepared:
    """The notes as they are, and no retain term."""
    notes = note_examples(task.model, task.records)

    def loss(model: nn.Module, examples: Sequence[Example]) -> Float[Tensor, ""]:
        batch = read(model, examples)
        return ascent(logits(model, batch), batch)

    return Prepared(lambda _epoch: notes, loss)


GRADIENT_ASCENT = Method(
    "gradient-ascent",
    "Gradient ascent",
    "Makes the identifiers' tokens unlikely, and holds nothing else in place.",
    prepare,
)
