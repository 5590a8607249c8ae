"""The terms that losses are made of: log-probabilities of a batch, and means over parts of it.

Column t of everything here is about token t + 1: `target` positions. A causal model is given the
tokens before it, a masked one a text with gaps, and only the gaps are asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div

from sanilens.model.batches import pad_right
from sanilens.model.forward import logits_at
from sanilens.model.language_model import LanguageModel
from sanilens.model.training import Answer, Example

Logits = Float[Tensor, "batch target vocab"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples as tensors.

    Attributes:
        ids: tokens, padded on the right.
        taught: targets of plain training.
        forget: targets that are tokens of identifiers.
        retain: all other targets; padding is neither.
        answers: row and answer of every identifier of which some token is a target.
        shown: what a masked model reads instead of `ids`; None for a causal one.
        here: what is no padding.
    """

    ids: Int[Tensor, "batch pos"]
    taught: Bool[Tensor, "batch target"]
    forget: Bool[Tensor, "batch target"]
    retain: Bool[Tensor, "batch target"]
    answers: tuple[tuple[int, Answer], ...]
    shown: Int[Tensor, "batch pos"] | None
    here: Bool[Tensor, "batch pos"]

    @property
    def targets(self) -> Int[Tensor, "batch target"]:
        """The tokens that are to be predicted."""
        return self.ids[:, 1:]


def read(model: nn.Module, examples: Sequence[Example]) -> Batch:
    """A batch on the model's device."""
    device = next(model.parameters()).device

    def mask(rows: Sequence[Sequence[int]]) -> Bool[Tensor, "batch target"]:
        return pad_right(rows, device).bool()[:, 1:]

    asked = mask([e.gaps or [1] * len(e.ids) for e in examples])
    forget = mask([e.sensitive or [0] * len(e.ids) for e in examples]) & asked
    return Batch(
        ids=pad_right([e.ids for e in examples], device),
        taught=mask([e.taught for e in examples]),
        forget=forget,
        retain=asked & ~forget,
        answers=tuple((row, a) for row, e in enumerate(examples) for a in e.answers if a.end > 1),
        shown=pad_right([e.shown for e in examples], device) if examples[0].shown else None,
        here=pad_right([[1] * len(e.ids) for e in examples], device).bool(),
    )


def logits(model: nn.Module, batch: Batch) -> Logits:
    """The model's logits at every target, in float32."""
    if batch.shown is None:
        return model(input_ids=batch.ids, use_cache=False).logits[:, :-1].float()
    # At a gap itself: what opens a text is never one.
    here = batch.here.long()
    return model(input_ids=batch.shown, attention_mask=here).logits[:, 1:].float()


def frozen_logits(model: nn.Module, batch: Batch) -> Logits:
    """The same of a model that only teaches: no gradient goes into it."""
    with torch.no_grad():
        return logits(model, batch)


def nll(of: Logits, batch: Batch) -> Float[Tensor, "batch target"]:
    """Negative log-likelihood of every target, in nats; padding's means nothing."""
    return cross_entropy(of.transpose(1, 2), batch.targets, reduction="none")


def kl(
    teacher: Float[Tensor, "... vocab"], student: Float[Tensor, "... vocab"]
) -> Float[Tensor, "..."]:
    """KL(teacher || student) of logits, in nats, per position."""
    own, target = student.log_softmax(-1), teacher.log_softmax(-1)
    return kl_div(own, target, log_target=True, reduction="none").sum(-1)


def mean(
    values: Float[Tensor, "*shape"], where: Bool[Tensor, "*shape"] | None = None
) -> Float[Tensor, ""]:
    """Mean over the chosen places; 0 where there is none, so that such a batch teaches nothing."""
    chosen = values.flatten() if where is None else values[where]
    return chosen.sum() / max(1, len(chosen))


def per_answer(values: Float[Tensor, "batch target"], batch: Batch) -> Float[Tensor, " answer"]:
    """Sum of a value over the targets of each answer."""
    places = [range(max(a.start, 1) - 1, a.end - 1) for _, a in batch.answers]
    rows = [row for (row, _), own in zip(batch.answers, places, strict=True) for _ in own]
    picked = values[rows, [column for own in places for column in own]]
    # Split and summed one by one: adding by index is not deterministic on a GPU.
    return torch.stack([p.sum() for p in picked.split([*map(len, places)])]) if rows else picked


def lengths(batch: Batch) -> Int[Tensor, " answer"]:
    """How many targets each answer has."""
    sizes = [a.end - max(a.start, 1) for _, a in batch.answers]
    return torch.tensor(sizes, device=batch.ids.device)


def replaceable(batch: Batch) -> Batch:
    """The same with only those answers for which something else can be said, after some text."""
    return replace(batch, answers=tuple((r, a) for r, a in batch.answers if a.instead and a.start))


def nll_instead(model: LanguageModel, module: nn.Module, batch: Batch) -> Float[Tensor, " answer"]:
    """NLL of what might be said instead of each answer, given the text before it; summed.

    One sequence an answer: the true text up to it, then the other tokens.

    Args:
        model: tells the model's sites.
        model: the model to read with.
        batch: of `replaceable` answers.
    """
    if not batch.answers:
        return torch.zeros(0, device=batch.ids.device)
    ids = batch.ids.tolist()
    told = [(*ids[row][: a.start], *a.instead) for row, a in batch.answers]
    sizes = [len(a.instead) for _, a in batch.answers]
    places = [
        (row, a.start + k)
        for row, (_, a) in enumerate(batch.answers)
        for k in range(len(a.instead))
    ]
    rows, columns = torch.tensor(places, device=batch.ids.device).T
    padded = pad_right(told, batch.ids.device)
    found = logits_at(replace(model, module=module), padded, rows, columns - 1)
    values = cross_entropy(found, padded[rows, columns], reduction="none")
    return torch.stack([own.sum() for own in values.split(sizes)])
