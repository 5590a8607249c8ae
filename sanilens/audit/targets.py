"""What is attributed: the tokens of the spans in scope, and neutral tokens to compare with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from sanilens.audit.passages import Passage, make_passages
from sanilens.audit.verdicts import SpanVerdict
from sanilens.corpus.records import Record, Span
from sanilens.errors import PlanError
from sanilens.model.batches import bucketed, pad_right, token_budget
from sanilens.model.language_model import LanguageModel


@dataclass(frozen=True, slots=True)
class Scope:
    """Which spans to attribute: all that match every field given.

    `spans` holds span ids. Empty fields match everything.
    """

    spans: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()

    def holds(self, record: Record, span_id: str, label: str) -> bool:
        """Whether a span of `record` is in scope."""
        return self._matches(span_id, label, record.subject)

    def covers(self, verdict: SpanVerdict) -> bool:
        """Whether the span of a verdict is in scope."""
        return self._matches(verdict.span_id, verdict.label, verdict.subject)

    def _matches(self, span_id: str, label: str, subject: str) -> bool:
        return (
            (not self.spans or span_id in self.spans)
            and (not self.labels or label in self.labels)
            and (not self.subjects or subject in self.subjects)
        )


@dataclass(frozen=True, slots=True)
class TargetBatch:
    """Some passages as one batch, and the tokens in question.

    Attributes:
        ids: right-padded token ids.
        rows, columns: where the tokens stand; column >= 1. Target tokens first.
        targets: how many of them are of spans in scope; the rest is neutral text.
        span: for each target token the number of its span in this batch.
    """

    ids: Int[Tensor, "batch pos"]
    rows: Int[Tensor, " n"]
    columns: Int[Tensor, " n"]
    targets: int
    span: Int[Tensor, " targets"]

    @property
    def tokens(self) -> Int[Tensor, " n"]:
        """The token ids in question."""
        return self.ids[self.rows, self.columns]

    def signs(self) -> Float[Tensor, " n"]:
        """+1 for each target token, and the same total, negative, spread over the neutral ones."""
        signs = torch.ones(len(self.rows), device=self.ids.device)
        neutral = len(self.rows) - self.targets
        signs[self.targets :] = -self.targets / max(1, neutral)
        return signs


@dataclass(frozen=True, slots=True)
class Targets:
    """Spans in scope, ready to be asked about.

    Attributes:
        model: the model.
        passages: of records that hold such spans, each with the indices of its own.
        spans: how many spans there are.
    """

    model: LanguageModel
    passages: tuple[tuple[Passage, tuple[int, ...]], ...]
    spans: int

    def batches(
        self, *, neutral: float = 0.0, seed: int = 0, most: int | None = None
    ) -> Iterator[TargetBatch]:
        """The passages by length.

        Args:
            neutral: how many non-sensitive tokens to draw for every target token; `inf` takes all.
            seed: draws these tokens.
            most: passages in a batch; as many as memory takes unless given.
        """
        rng = np.random.default_rng(seed)
        for bucket in self._buckets():
            for start in range(0, len(bucket), most or len(bucket)):
                chosen = bucket[start : start + (most or len(bucket))]
                yield self._batch([self.passages[i] for i in chosen], neutral, rng)

    @property
    def records(self) -> tuple[Record, ...]:
        """The records that hold such spans, with these alone marked; all else in them is text."""
        marked: dict[str, tuple[Record, list[Span]]] = {}
        for passage, chosen in self.passages:
            _, spans = marked.setdefault(passage.record.id, (passage.record, []))
            spans += [passage.targets[i].span.span for i in chosen]
        return tuple(replace(record, spans=tuple(sorted(own))) for record, own in marked.values())

    @property
    def n_batches(self) -> int:
        """How many batches there are."""
        return len(self._buckets())

    def _buckets(self) -> list[Sequence[int]]:
        lengths = [len(p.ids) for p, _ in self.passages]
        return list(bucketed(lengths, token_budget(self.model)))

    def _batch(
        self,
        passages: Sequence[tuple[Passage, tuple[int, ...]]],
        neutral: float,
        rng: np.random.Generator,
    ) -> TargetBatch:
        own: list[tuple[int, int]] = []
        other: list[tuple[int, int]] = []
        spans: list[int] = []
        for row, (passage, chosen) in enumerate(passages):
            places = target_positions(passage, chosen)
            own += [(row, c) for c in places]
            for i in chosen:
                number = spans[-1] + 1 if spans else 0
                spans += [number] * len(target_positions(passage, [i]))
            free = neutral_positions(passage)
            count = int(min(len(free), neutral * len(places)))
            if count:
                other += [(row, int(c)) for c in sorted(rng.choice(free, count, replace=False))]
        device = self.model.device
        ids = pad_right([p.ids for p, _ in passages], device)
        rows, columns = torch.tensor(own + other, device=device).T
        return TargetBatch(ids, rows, columns, len(own), torch.tensor(spans, device=device))


def find_targets(
    model: LanguageModel, records: Sequence[Record], scope: Scope | None = None
) -> Targets:
    """The spans of `records` in `scope` that something precedes; all spans without a scope.

    Raises:
        PlanError: if there is none.
    """
    scope = scope or Scope()
    chosen, count = [], 0
    for passage in make_passages(model, records):
        record = passage.record
        targets = tuple(
            i
            for i, t in enumerate(passage.targets)
            if t.end > 1 and scope.holds(record, record.span_id(t.span.span), t.span.span.label)
        )
        if targets:
            chosen.append((passage, targets))
            count += len(targets)
    if not chosen:
        raise PlanError("no span is in scope: the label, subject or span id matches nothing.")
    return Targets(model, tuple(chosen), count)


def target_positions(passage: Passage, chosen: Sequence[int]) -> list[int]:
    """Positions of the tokens of some of a passage's spans; the very first cannot be asked."""
    spans = [passage.targets[i] for i in chosen]
    return [c for t in spans for c in range(max(t.start, 1), t.end)]


def neutral_positions(passage: Passage) -> list[int]:
    """Positions of a passage's tokens outside all sensitive spans."""
    sensitive = {c for t in passage.targets for c in range(t.start, t.end)}
    return [c for c in range(1, len(passage.ids)) if c not in sensitive]
