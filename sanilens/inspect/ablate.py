"""Exact ablation: what really happens to targets, other spans and neutral text without a unit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from sanilens.audit.extraction import SpanVerdict, audit_spans
from sanilens.audit.passages import make_passages
from sanilens.audit.summary import RateRow, memory, rate_row
from sanilens.audit.utility import perplexity
from sanilens.corpus.records import Record
from sanilens.inspect.readers import NO_SAES, Saes, find_sae
from sanilens.inspect.sae.clamp import one_cleared_per_row
from sanilens.inspect.targets import Scope
from sanilens.model.batches import pad_right, token_budget
from sanilens.model.forward import token_logprobs
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.interventions import one_zeroed_per_row
from sanilens.model.subject import SubjectModel
from sanilens.model.units import Feature, Unit


@dataclass(frozen=True, slots=True)
class Effect:
    """A quantity before and after; counts for spans, nats or perplexity otherwise."""

    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Ablation:
    """What hooks do, measured exactly.

    Attributes:
        targets, others: spans in and out of scope that are said, before and after.
        target_logprob, other_logprob: mean log-probability of a span, in nats.
        neutral: perplexity on `neutral` records.
    """

    targets: tuple[RateRow, RateRow]
    others: tuple[RateRow, RateRow]
    target_logprob: Effect
    other_logprob: Effect
    neutral: Effect


def ablate(
    subject: SubjectModel,
    hooks: Hooks,
    records: Sequence[Record],
    scope: Scope,
    neutral: Sequence[Record],
) -> Ablation:
    """Audit `records` and read `neutral` without and with `hooks`."""
    sides = [audit_spans(subject, records, hooks=h) for h in (NO_HOOKS, hooks)]
    by_id = {r.id: r for r in records}

    def split(verdicts: Sequence[SpanVerdict], inside: bool) -> list[SpanVerdict]:
        return [
            v
            for v in memory(verdicts)
            if scope.holds(by_id[v.record], v.span_id, v.label) == inside
        ]

    targets = [split(side, True) for side in sides]
    others = [split(side, False) for side in sides]
    utility = [perplexity(subject, neutral, hooks=h).value for h in (NO_HOOKS, hooks)]
    return Ablation(
        targets=(rate_row(targets[0]), rate_row(targets[1])),
        others=(rate_row(others[0]), rate_row(others[1])),
        target_logprob=Effect(_mean(targets[0]), _mean(targets[1])),
        other_logprob=Effect(_mean(others[0]), _mean(others[1])),
        neutral=Effect(utility[0], utility[1]),
    )


def single_effects(
    subject: SubjectModel,
    record: Record,
    span_id: str,
    units: Sequence[Unit],
    saes: Saes = NO_SAES,
) -> list[float]:
    """Change of a span's log-probability, in nats, when each unit alone is zeroed.

    One batch holds the record once for every unit, each row without another one. The units are
    the model's own, or features of one autoencoder among `saes`.
    """
    passage, target = next(
        (p, t)
        for p in make_passages(subject, [record])
        for t in p.targets
        if record.span_id(t.span.span) == span_id
    )
    ids = passage.ids[: target.end]
    columns = list(range(max(target.start, 1), target.end))
    before = _span_logprobs(subject, ids, columns, 1, NO_HOOKS)[0]
    size = max(1, token_budget(subject) // len(ids))
    changes: list[float] = []
    for start in range(0, len(units), size):
        part = list(units[start : start + size])
        hooks = _one_without_per_row(subject, part, saes)
        after = _span_logprobs(subject, ids, columns, len(part), hooks)
        changes += [value - before for value in after]
    return changes


def _one_without_per_row(subject: SubjectModel, units: Sequence[Unit], saes: Saes) -> Hooks:
    features = [unit for unit in units if isinstance(unit, Feature)]
    if not features:
        own = [unit for unit in units if not isinstance(unit, Feature)]
        return one_zeroed_per_row(subject, own)
    if len(features) < len(units) or len({feature.sae for feature in features}) > 1:
        raise ValueError("features of one autoencoder, or units of the model: not both at once")
    return one_cleared_per_row(subject, find_sae(saes, features), [f.index for f in features])


def _span_logprobs(
    subject: SubjectModel, ids: tuple[int, ...], columns: list[int], rows: int, hooks: Hooks
) -> list[float]:
    batch = pad_right([ids] * rows, subject.device)
    row = torch.arange(rows, device=subject.device).repeat_interleave(len(columns))
    column = torch.tensor(columns, device=subject.device).repeat(rows)
    found = token_logprobs(subject, batch, row, column, hooks)
    return found.view(rows, len(columns)).sum(1).tolist()


def _mean(verdicts: Iterable[SpanVerdict]) -> float:
    values = [v.logprob for v in verdicts]
    return sum(values) / len(values) if values else 0.0
