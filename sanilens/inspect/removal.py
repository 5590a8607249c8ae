"""If a unit goes: what is still said without it, against a baseline that was measured before."""

from collections.abc import Sequence
from dataclasses import dataclass

from sanilens.audit.extraction import SpanVerdict, audit_spans
from sanilens.audit.summary import RateRow, memory, rate_row
from sanilens.audit.utility import perplexity
from sanilens.corpus.records import Record
from sanilens.inspect.readers import NO_SAES, Saes, find_sae
from sanilens.inspect.sae.clamp import clamped_features
from sanilens.model.hooks import Hooks
from sanilens.model.interventions import zeroed
from sanilens.model.subject import SubjectModel
from sanilens.model.units import Feature, Unit


@dataclass(frozen=True, slots=True)
class Baseline:
    """Records and neutral texts, and what the untouched model does with them."""

    records: tuple[Record, ...]
    neutral: tuple[Record, ...]
    verdicts: tuple[SpanVerdict, ...]
    perplexity: float


@dataclass(frozen=True, slots=True)
class Removal:
    """Spans of a label and other spans that are said, and perplexity, before and after.

    `neutral` is how many texts the perplexity is of; without any it is not a number.
    """

    own: tuple[RateRow, RateRow]
    others: tuple[RateRow, RateRow]
    perplexity: tuple[float, float]
    neutral: int


def baseline(
    subject: SubjectModel, records: Sequence[Record], neutral: Sequence[Record]
) -> Baseline:
    """Measure the untouched model once, for many removals."""
    verdicts = tuple(audit_spans(subject, records))
    value = perplexity(subject, neutral).value if neutral else float("nan")
    return Baseline(tuple(records), tuple(neutral), verdicts, value)


def without(subject: SubjectModel, unit: Unit, saes: Saes = NO_SAES) -> Hooks:
    """Hooks that set the unit to zero wherever it acts."""
    if isinstance(unit, Feature):
        return clamped_features(subject, find_sae(saes, [unit]), {unit.index: 0.0})
    return zeroed(subject, [unit])


def removal(subject: SubjectModel, before: Baseline, hooks: Hooks, label: str) -> Removal:
    """What hooks such as `without` do; `label` tells own spans from others."""
    after = audit_spans(subject, before.records, hooks=hooks)

    def said(verdicts: Sequence[SpanVerdict], own: bool) -> RateRow:
        return rate_row(v for v in memory(verdicts) if (v.label == label) == own)

    neutral = before.neutral
    value = perplexity(subject, neutral, hooks=hooks).value if neutral else float("nan")
    return Removal(
        own=(said(before.verdicts, True), said(after, True)),
        others=(said(before.verdicts, False), said(after, False)),
        perplexity=(before.perplexity, value),
        neutral=len(neutral),
    )
