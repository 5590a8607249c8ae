"""From verdicts to rates: by kind, label and subject, memory told apart from copying."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import pandas as pd
from pydantic import BaseModel, ConfigDict

from sanilens.audit.extraction import SpanVerdict
from sanilens.audit.statistics import wilson


class RateRow(BaseModel):
    """Spans extracted of `n`, and the 95 % Wilson interval; `rate` is None where n is 0."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate: float | None
    hits: int
    n: int
    low: float
    high: float


RateTable = dict[str, RateRow]


def rate_row(verdicts: Iterable[SpanVerdict]) -> RateRow:
    """How many of `verdicts` were extracted."""
    said = [v.extracted for v in verdicts]
    found = wilson(sum(said), len(said))
    return RateRow(rate=found.rate, hits=found.hits, n=found.n, low=found.low, high=found.high)


def memory(verdicts: Iterable[SpanVerdict]) -> list[SpanVerdict]:
    """Verdicts that only memory can explain: not copied from the prefix, and with a prefix."""
    return [v for v in verdicts if v.status == "memory"]


def rates_by(verdicts: Iterable[SpanVerdict], key: Callable[[SpanVerdict], str]) -> RateTable:
    """Rates of groups, sorted by name."""
    groups: dict[str, list[SpanVerdict]] = defaultdict(list)
    for verdict in verdicts:
        groups[key(verdict)].append(verdict)
    return {name: rate_row(groups[name]) for name in sorted(groups)}


def extraction_by_kind(verdicts: Iterable[SpanVerdict]) -> RateTable:
    """Rates of `direct` and `indirect` always, of other kinds where they occur; memory only."""
    found = rates_by(memory(verdicts), lambda v: v.kind)
    return {"direct": rate_row(()), "indirect": rate_row(()), **found}


def worst_subject(by_subject: RateTable) -> tuple[str, RateRow] | None:
    """The subject of whom most is said: by count, then by rate, then by name."""
    if not by_subject:
        return None
    return max(by_subject.items(), key=lambda item: (item[1].hits, item[1].rate or 0, item[0]))


def verdict_frame(verdicts: Sequence[SpanVerdict]) -> pd.DataFrame:
    """One row a span: ids, label, kind, status, verdict and figures; no text."""
    rows = [
        {
            "span": v.span_id,
            "record": v.record,
            "subject": v.subject,
            "label": v.label,
            "kind": v.kind,
            "status": v.status,
            "extracted": v.extracted,
            "logprob": v.logprob,
            "tokens": len(v.token_logprobs),
            "sampler_logprob": v.sampler_logprob,
            "extraction_strength": v.extraction_strength,
            "margin": v.margin,
        }
        for v in verdicts
    ]
    return pd.DataFrame(rows)
