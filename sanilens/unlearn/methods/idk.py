"""IDK: teach a placeholder in the place of every identifier.

    L = gamma (1/sum|r_i|) sum_i NLL_theta( r_i | x_<s_i ) + alpha retain

r_i is the placeholder ("[not recorded]" unless told otherwise) as the tokenizer writes it where
identifier s_i begins, after the note's true text. TOFU's `IDK` (arXiv 2401.06121) answers
questions with a refusal; a note has no question, and this is what a clerk would write.
"""

from typing import Annotated, Any

from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from sanilens.model.examples import note_examples
from sanilens.model.language_model import LanguageModel
from sanilens.unlearn.methods.method import Method, Prepared, Task
from sanilens.unlearn.methods.retain import Retain, Seen, forget_and_retain
from sanilens.unlearn.methods.terms import Batch, nll_instead, replaceable

Placeholder = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
NOT_RECORDED: Any = Field(
    "[not recorded]",
    title="Placeholder",
    description="What the model learns to say in the place of an identifier.",
)


class Idk(Retain):
    """What to say instead."""

    placeholder: Placeholder = NOT_RECORDED


def refusal(values: Float[Tensor, " answer"], batch: Batch) -> Float[Tensor, ""]:
    """The forget term of the module's equation, from each placeholder's summed NLL."""
    return values.sum() / max(1, sum(len(answer.instead) for _, answer in batch.answers))


def idk(model: LanguageModel, seen: Seen) -> Float[Tensor, ""]:
    """The forget term for a batch."""
    batch = replaceable(seen.batch)
    return refusal(nll_instead(model, seen.model, batch), batch)


def prepare(task: Task, options: Idk) -> Prepared:
    """The notes as they are, each identifier with its placeholder."""
    notes = note_examples(task.model, task.records, instead=lambda *_: options.placeholder)
    return forget_and_retain(
        task,
        options,
        lambda seen: idk(task.model, seen),
        options.retain_loss,
        lambda _epoch: notes,
    )


IDK = Method(
    "idk",
    "Placeholder (IDK)",
    "Teaches a placeholder such as [not recorded] in the place of every identifier.",
    prepare,
    Idk,
)
