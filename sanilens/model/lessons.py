"""Pieces of records with what a teacher would have said in them, and the loss of unlike answers.

Of a masked language model a piece is a gap in a span, whole or partly filled in.

L_S = mean_{t in S} KL(q_t || p_theta)        q the teacher's, S the sensitive tokens
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.corpus.records import Record
from sanilens.model.align import Encoded, encode
from sanilens.model.batches import bucketed, gap, pad_right, token_budget, with_gaps
from sanilens.model.examples import note_examples
from sanilens.model.forward import logits_at
from sanilens.model.hooks import Hooks
from sanilens.model.language_model import LanguageModel
from sanilens.model.linear_maps import Matrix, flows
from sanilens.model.soft import Soft, joined
from sanilens.model.teachers import DRAWS, Asked, partly, teach_gaps
from sanilens.model.training import Example

# Of each span so many gaps are partly filled in, beside the whole one.
_IN_PART = 2


@dataclass(frozen=True, slots=True)
class Lesson:
    """A piece of a record, where in it something sensitive stands, and what to say there instead.

    Attributes:
        example: the piece.
        columns: of its sensitive tokens that some token precedes; of a gap, its own.
        soft: a row for each.
        spans: the span of each, by its id.
    """

    example: Example
    columns: tuple[int, ...]
    soft: Soft
    spans: tuple[str, ...]

    def taught_logprobs(self) -> Float[Tensor, " column"]:
        """How likely the teacher has each true token, in nats."""
        true = torch.tensor([self.example.ids[c] for c in self.columns]).to(self.soft.tokens)
        return self.soft.logprobs(true)

    def of(self, spans: Collection[str]) -> "Lesson":
        """The same with the columns of some spans alone."""
        own = [k for k, span in enumerate(self.spans) if span in spans]
        return Lesson(
            self.example,
            tuple(self.columns[k] for k in own),
            self.soft.pick(torch.tensor(own, dtype=torch.long, device=self.soft.tokens.device)),
            tuple(self.spans[k] for k in own),
        )


def lessons(
    model: LanguageModel, records: Sequence[Record], taught: Sequence[Soft]
) -> list[Lesson]:
    """The records' pieces with a teacher's answers; also those in which nothing is sensitive."""
    found: list[Lesson] = []
    for record, soft in zip(records, taught, strict=True):
        at, ids = 0, _span_of_row(model, record)
        for example in note_examples(model, [record]):
            own = [i for i, sensitive in enumerate(example.sensitive) if sensitive]
            rows = torch.arange(at, at + len(own), device=soft.tokens.device)
            asked = [k for k, column in enumerate(own) if column > 0]
            columns, spans = tuple(own[k] for k in asked), tuple(ids[at + k] for k in asked)
            found.append(Lesson(example, columns, soft.pick(rows[asked]), spans))
            at += len(own)
    return found


def gap_lessons(
    model: LanguageModel,
    records: Sequence[Record],
    *,
    others: Sequence[Record] = (),
    seed: int = 0,
    draws: int = DRAWS,
) -> list[list[Lesson]]:
    """The gaps in which a masked model is asked for each span, with strangers' answers.

    The first is the whole span; in the others some of its tokens have been filled in, as they are
    where an attacker goes on with what a model is surest of.

    Args:
        model: the examined model.
        records: whose spans are to be forgotten.
        others: texts that stay, which tell how free text goes on.
        seed: of strangers and of what is filled in.
        draws: how many strangers an answer is the mean of.
    """
    rng = np.random.default_rng(seed)
    coded = [encode(model, record) for record in records]
    spans = [(i, n) for i, each in enumerate(coded) for n in range(len(each.spans))]
    gaps: list[Asked] = []
    for i, n in spans:
        whole = coded[i].tokens(n)
        some = [partly(len(whole), rng) for _ in range(min(_IN_PART, len(whole) - 1))]
        gaps += [Asked(i, n, places) for places in (whole, *some)]
    taught = teach_gaps(model, records, gaps, others=others, seed=seed, draws=draws)
    found: dict[tuple[int, int], list[Lesson]] = {own: [] for own in spans}
    for asked, soft in zip(gaps, taught, strict=True):
        lesson = _gap_lesson(model, coded[asked.record], asked, soft)
        # Of a span longer than the context the first tokens are never gaps.
        found[asked[:2]] += [lesson] if lesson.columns else []
    return [*found.values()]


def _gap_lesson(model: LanguageModel, coded: Encoded, asked: Asked, soft: Soft) -> Lesson:
    """A gap in the true text, or in as much of it as fits the model."""
    span = coded.spans[asked.span]
    ids, columns = gap(model, coded.ids, range(span.start, span.end), asked.places)
    gaps = tuple(i in columns for i in range(len(ids)))
    example = Example(
        ids,
        (False,) * len(ids),
        sensitive=gaps,
        shown=tuple(with_gaps(model, ids, columns)),
        gaps=gaps,
    )
    last = torch.arange(len(soft) - len(columns), len(soft), device=soft.tokens.device)
    name = coded.record.span_id(span.span)
    return Lesson(example, tuple(columns), soft.pick(last), (name,) * len(columns))


def _span_of_row(model: LanguageModel, record: Record) -> list[str]:
    """The span of each of a record's sensitive tokens."""
    coded = encode(model, record)
    pairs = zip(coded.spans, coded.first_tokens(), strict=True)
    return [record.span_id(own.span) for own, first in pairs for _ in range(first, own.end)]


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
