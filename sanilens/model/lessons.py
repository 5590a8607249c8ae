"""Pieces of records with what a teacher would have said in them, and the loss of unlike answers.

L_S = mean_{t in S} KL(q_t || p_theta)        q the teacher's, S the sensitive tokens
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.corpus.records import Record
from sanilens.model.batches import bucketed, pad_right, token_budget
from sanilens.model.examples import note_examples
from sanilens.model.forward import logits_at
from sanilens.model.hooks import Hooks
from sanilens.model.language_model import LanguageModel
from sanilens.model.linear_maps import Matrix, flows
from sanilens.model.teachers import Soft, joined
from sanilens.model.training import Example


@dataclass(frozen=True, slots=True)
class Lesson:
    """A piece of a record, where in it something sensitive stands, and what to say there instead.

    Attributes:
        example: the piece.
        columns: of its sensitive tokens that some token precedes.
        soft: a row for each.
    """

    example: Example
    columns: tuple[int, ...]
    soft: Soft


def lessons(
    model: LanguageModel, records: Sequence[Record], taught: Sequence[Soft]
) -> list[Lesson]:
    """The records' pieces with a teacher's answers; also those in which nothing is sensitive."""
    found: list[Lesson] = []
    for record, soft in zip(records, taught, strict=True):
        at = 0
        for example in note_examples(model, [record]):
            own = [i for i, sensitive in enumerate(example.sensitive) if sensitive]
            rows = torch.arange(at, at + len(own), device=soft.tokens.device)
            at += len(own)
            asked = [k for k, column in enumerate(own) if column > 0]
            found.append(Lesson(example, tuple(own[k] for k in asked), soft.pick(rows[asked])))
    return found


def forget_gradients(
    model: LanguageModel, lessons: Sequence[Lesson], paths: Sequence[str]
) -> tuple[dict[str, Matrix], float]:
    """The gradient of L_S at every map, and L_S itself, nats a token.

    Every lesson has a column.
    """
    total = sum(len(lesson.columns) for lesson in lessons)
    found: dict[str, Matrix] = {}
    loss = 0.0
    for bucket in bucketed([len(each.example.ids) for each in lessons], token_budget(model)):
        own = [lessons[i] for i in bucket]
        ids = pad_right([each.example.ids for each in own], model.device)
        here = pad_right([[1] * len(each.example.ids) for each in own], model.device)
        places = [(row, column) for row, each in enumerate(own) for column in each.columns]
        rows, columns = torch.tensor(places, device=model.device).T
        soft = joined([each.soft for each in own])

        def share(hooks: Hooks) -> Float[Tensor, ""]:
            nonlocal loss
            logits = logits_at(model, ids, rows, columns - 1, hooks)  # noqa: B023 - called at once
            own = soft.kl(logits).sum() / total  # noqa: B023
            loss += own.item()
            return own

        for path, flow in flows(model, paths, share, here):
            gradient = flow.weight_gradient
            found[path] = found[path] + gradient if path in found else gradient
    return found, loss
