"""A record as the model reads it: how surely it says each token, and what it would say instead."""

from dataclasses import dataclass

import torch

from sanilens.corpus.records import Record
from sanilens.model.align import Encoded, decoded, encode, token_texts
from sanilens.model.forward import logits_at
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.subject import SubjectModel


@dataclass(frozen=True, slots=True)
class Reading:
    """A record's tokens under teacher forcing.

    Attributes:
        encoded: the record as tokens.
        texts: each token's characters.
        probabilities: p of each token given all before it; None for the first.
        ranks: 1 + how many tokens are likelier there; None for the first.
        best: the most likely token there, as text, and its probability; None for the first.
    """

    encoded: Encoded
    texts: tuple[str, ...]
    probabilities: tuple[float | None, ...]
    ranks: tuple[int | None, ...]
    best: tuple[tuple[str, float] | None, ...]


@torch.inference_mode()
def read_record(subject: SubjectModel, record: Record, hooks: Hooks = NO_HOOKS) -> Reading:
    """Read a record token by token; one longer than the model's context is read up to it."""
    encoded = encode(subject, record)
    ids = torch.tensor([encoded.ids[: subject.max_tokens]], device=subject.device)
    columns = torch.arange(1, ids.shape[1], device=subject.device)
    texts = tuple(token_texts(subject, encoded))
    rest = (None,) * (len(encoded.ids) - ids.shape[1])
    if not len(columns):
        return Reading(encoded, texts, (None, *rest), (None, *rest), (None, *rest))
    logits = logits_at(subject, ids, torch.zeros_like(columns), columns - 1, hooks)
    probabilities = logits.softmax(-1)
    own = probabilities.gather(1, ids[0, 1:, None])
    ranks = (1 + (probabilities > own).sum(1)).tolist()
    best = probabilities.max(1)
    said = [decoded(subject, [i]) for i in best.indices.tolist()]
    likeliest = list(zip(said, best.values.tolist(), strict=True))
    return Reading(
        encoded,
        texts,
        (None, *own[:, 0].tolist(), *rest),
        (None, *ranks, *rest),
        (None, *likeliest, *rest),
    )
