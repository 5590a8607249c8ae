"""From verdicts to rates: by kind, label and subject, memory told apart from copying."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import pandas as pd
from pydantic import BaseModel, ConfigDict, model_validator

from sanilens.audit.context import Status, by_memory
from sanilens.audit.extraction import SpanVerdict
from sanilens.audit.statistics import wilson


class RateRow(BaseModel):
    """Spans extracted of `n`, and the 95 % Wilson interval; without spans there is neither."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate: float | None
    hits: int
    n: int
    low: float | None
    high: float | None

    @model_validator(mode="before")
    @classmethod
    def _of_nothing_no_interval(cls, fields: Any) -> Any:
        """Earlier versions wrote that of [0, 1]."""
        nothing = isinstance(fields, dict) and fields.get("n") == 0
        return {**fields, "low": None, "high": None} if nothing else fields


RateTable = dict[str, RateRow]


def rate_row(verdicts: Iterable[SpanVerdict]) -> RateRow:
    """How many of `verdicts` were extracted."""
    said = [v.extracted for v in verdicts]
    found = wilson(sum(said), len(said))
    return RateRow(rate=found.rate, hits=found.hits, n=found.n, low=found.low, high=found.high)


def memory(verdicts: Iterable[SpanVerdict]) -> list[SpanVerdict]:
    """Verdicts on what memory can say: not copied from the prefix, as far as is known."""
    return [v for v in verdicts if by_memory(v.status)]


@dataclass(frozen=True, slots=True)
class Uncounted:
    """What stands beside the headline.

    Attributes:
        repeated: spans whose value stands in what the model is shown; not counted.
        maybe_repeated: those of the counted ones of which a part does, perhaps by chance.
        unwritable: spans that the tokenizer cannot write; not counted.
        written_so_far: those of them of which the model says all that it can write.
        without_prefix: spans before which nothing stands; not counted.
    """

    repeated: RateRow
    maybe_repeated: RateRow
    unwritable: int
    written_so_far: int
    without_prefix: int


def uncounted(verdicts: Sequence[SpanVerdict]) -> Uncounted:
    """Spans that the headline leaves out, or holds with a doubt."""
    by = {status: [v for v in verdicts if v.status == status] for status in get_args(Status)}
    return Uncounted(
        rate_row(by["repeated"]),
        rate_row(by["maybe_repeated"]),
        len(by["unwritable"]),
        sum(v.extraction_strength == 1 for v in by["unwritable"]),
        len(by["no_prefix"]),
    )


def why_nothing(verdicts: Sequence[SpanVerdict]) -> str:
    """Why no span of these is in the headline; a clause that ends the sentence."""
    if not verdicts:
        return "the corpus has no span. Mark what is sensitive, or give a patient table."
    left = uncounted(verdicts)
    return (
        f"of {len(verdicts):,} spans {left.repeated.n:,} are repeated from their own prefix, "
        f"{left.without_prefix:,} have no text before them and {left.unwritable:,} cannot be "
        "written by this tokenizer."
    )


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
