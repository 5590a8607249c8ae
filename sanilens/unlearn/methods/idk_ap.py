"""IDK+AP: a placeholder for identifiers, and the true answer preferred to it elsewhere.

    L = gamma IDK(F) + alpha (1/m) sum_j -(1/beta) log sg( beta (NLL(r_j) - NLL(y_j)) )

IDK as in methods/idk.py. y_j are stretches of the notes that are in no span, as many and as long
as a note's identifiers and drawn anew in every epoch; r_j is the placeholder in such a stretch's
place: the answers are preserved (AP), so that not everything becomes a placeholder. Yuan et al.,
arXiv 2410.08109; beta 0.1, sums over tokens.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.nn.functional import logsigmoid

from sanilens.model.examples import note_examples
from sanilens.model.language_model import LanguageModel
from sanilens.model.training import Answer, Example
from sanilens.unlearn.methods.idk import NOT_RECORDED, Placeholder, refusal
from sanilens.unlearn.methods.method import Method, Prepared, Task
from sanilens.unlearn.methods.retain import Written, with_texts
from sanilens.unlearn.methods.terms import (
    logits,
    mean,
    nll,
    nll_instead,
    per_answer,
    read,
    replaceable,
)


class IdkAp(Written):
    """What to say instead, and how firmly to keep the rest."""

    placeholder: Placeholder = NOT_RECORDED
    forget_weight: Annotated[float, Field(ge=0, le=1000)] = Field(
        1.0, title="Weight of forgetting", description="gamma: weight of the placeholders."
    )
    retain_weight: Annotated[float, Field(ge=0, le=1000)] = Field(
        1.0, title="Weight of what must stay", description="alpha: weight of preserved answers."
    )
    beta: Annotated[float, Field(gt=0, le=100)] = Field(
        0.1, title="Beta", description="The higher, the sooner an answer counts as preserved."
    )


def preserved(
    instead: Float[Tensor, " answer"], true: Float[Tensor, " answer"], beta: float
) -> Float[Tensor, ""]:
    """The second term of the module's equation, from summed NLLs."""
    return mean(-(1 / beta) * logsigmoid(beta * (instead - true)))


def with_stretches(example: Example, rng: np.random.Generator) -> Example:
    """An example with as many answers more that are in no span; fewer where there is no room."""
    free = np.flatnonzero(~np.array(example.sensitive, dtype=bool))
    stretches: list[Answer] = []
    for answer in example.answers:
        size = answer.end - answer.start
        # The first token has nothing before it; a stretch's tokens all lie in no span.
        starts = [int(i) for i in free if i and not any(example.sensitive[i : i + size])]
        if starts := [i for i in starts if i + size <= len(example.ids)]:
            first = starts[rng.integers(len(starts))]
            stretches.append(Answer(first, first + size, answer.instead))
    return replace(example, answers=(*example.answers, *stretches))


def prepare(task: Task, options: IdkAp) -> Prepared:
    """The notes with their placeholders, and other stretches of them in every epoch."""
    notes = note_examples(task.model, task.records, instead=lambda *_: options.placeholder)

    def examples(epoch: int) -> list[Example]:
        rng = np.random.default_rng((task.seed, epoch))
        return [with_stretches(note, rng) for note in notes]

    def loss(model: torch.nn.Module, given: Sequence[Example]) -> Float[Tensor, ""]:
        return idk_ap(task.model, model, given, options)

    return Prepared(with_texts(task, examples, options), loss)


def idk_ap(
    model: LanguageModel, module: torch.nn.Module, given: Sequence[Example], options: IdkAp
) -> Float[Tensor, ""]:
    """The loss of the module's equation for a batch."""
    batch = replaceable(read(module, given))
    true = per_answer(nll(logits(module, batch), batch), batch)
    instead = nll_instead(model, module, batch)
    hidden = [given[row].sensitive[answer.start] for row, answer in batch.answers]
    ours = torch.tensor(hidden, dtype=torch.bool, device=true.device)
    told = replace(batch, answers=tuple(a for a, h in zip(batch.answers, hidden, strict=True) if h))
    return options.forget_weight * refusal(instead[ours], told) + options.retain_weight * preserved(
        instead[~ours], true[~ours], options.beta
    )


IDK_AP = Method(
    "idk-ap",
    "Placeholder, answers preserved",
    "Teaches a placeholder for identifiers, and to prefer the true words to it everywhere else.",
    prepare,
    IdkAp,
)
