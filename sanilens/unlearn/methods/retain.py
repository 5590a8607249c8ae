"""What must stay: the retain half of the field's forget-and-retain methods.

    L = gamma forget + alpha retain,   retain = NLL, or KL(theta0 || theta), mean over R

R are the targets to be kept: every token of the corpus that lies in no span, with the identifiers
before it as context, and every token of further text: what the base model writes by itself
(`written`), and the task's own retain records. A note's identifiers and its wording thus share
one forward pass. Equations as in open-unlearning (arXiv 2506.12618), on the identifiers' tokens F.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from transformers import GenerationConfig

from sanilens.errors import PlanError
from sanilens.model.align import prompt_ids
from sanilens.model.examples import note_examples
from sanilens.model.language_model import LanguageModel
from sanilens.model.training import Example
from sanilens.unlearn.methods.examples import drawn
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
    theta0 = task.model.module
    notes = note_examples(task.model, task.records)

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
    kept = note_examples(task.model, task.retain)

    def examples(epoch: int) -> list[Example]:
        texts = written[epoch * count : (epoch + 1) * count]
        return notes(epoch) + texts + drawn(kept, len(first), epoch, task.seed)

    return examples


_TEXTS_AT_ONCE = 128


@torch.inference_mode()
def base_texts(base: LanguageModel, count: int, tokens: int, seed: int) -> list[Example]:
    """Texts that the base model writes at temperature 1.

    Args:
        base: the model before fine-tuning.
        count: how many.
        tokens: longest length.
        seed: of the sampler.

    Raises:
        PlanError: if the model has no token to begin a text with.
    """
    end = base.module.config.get_text_config().eos_token_id
    # As every text of this model begins, or else with what may begin one.
    start = prompt_ids(base, "", 0)
    if not start:
        raise PlanError(
            f"{base.name} has no token that begins a text, so it cannot write any. "
            "Set `written` to 0, or use surrogate repair."
        )
    settings = GenerationConfig(
        max_new_tokens=tokens,
        do_sample=True,
        top_k=0,
        eos_token_id=end,
        pad_token_id=end if isinstance(end, int) else start[0],
    )
    examples: list[Example] = []
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        while len(examples) < count:
            rows = min(_TEXTS_AT_ONCE, count - len(examples))
            ids = torch.tensor([start] * rows, device=base.device)
            written = base.module.generate(  # pyright: ignore
                ids, attention_mask=torch.ones_like(ids), generation_config=settings
            )
            examples += [_ended(row, end) for row in written.tolist()]
    return examples


def _ended(ids: list[int], end: int | list[int] | None) -> Example:
    """A written text up to and including its end; the rest is padding."""
    ends = {end} if isinstance(end, int) else set(end or ())
    length = next((i for i, token in enumerate(ids[1:], start=2) if token in ends), len(ids))
    return Example(tuple(ids[:length]), (False,) * length, (False,) * length)
