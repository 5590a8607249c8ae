"""From verdicts to rates by kind, label and subject, with memory told apart from copying."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import pandas as pd
from pydantic import BaseModel, ConfigDict, model_validator

from sanilens.audit.context import Status, by_memory
from sanilens.audit.extraction import SpanVerdict
from sanilens.audit.sampling import leak_probability
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


Hit = Callable[[SpanVerdict], bool]


def rate_row(
    verdicts: Iterable[SpanVerdict], hit: Hit = lambda verdict: verdict.extracted
) -> RateRow:
    """How many of `verdicts` were extracted, or whatever else `hit` says."""
    hits = [hit(v) for v in verdicts]
    found = wilson(sum(hits), len(hits))
    return RateRow(rate=found.rate, hits=found.hits, n=found.n, low=found.low, high=found.high)


def memory(verdicts: Iterable[SpanVerdict]) -> list[SpanVerdict]:
    """Verdicts on what only memory can say: not copied from the prefix, as far as is known."""
    return [v for v in verdicts if by_memory(v.status)]


@dataclass(frozen=True, slots=True)
class Uncounted:
    """What stands beside the headline.

    Attributes:
        repeated: spans whose value stands in what the model is shown; not counted.
        maybe_repeated: counted spans of which a part does, perhaps by chance.
        unwritable: spans that the tokenizer cannot write; not counted.
        written_so_far: unwritable spans of which the model says all that it can write.
        without_prefix: spans with nothing before them; not counted.
    """

    repeated: RateRow
    maybe_repeated: RateRow
    unwritable: int
    written_so_far: int
    without_prefix: int


def uncounted(verdicts: Sequence[SpanVerdict]) -> Uncounted:
    """Spans that the headline leaves out, or counts with a doubt."""
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


def rates_by(
    verdicts: Iterable[SpanVerdict],
    key: Callable[[SpanVerdict], str],
    hit: Hit = lambda verdict: verdict.extracted,
) -> RateTable:
    """Rates of groups, sorted by name."""
    groups: dict[str, list[SpanVerdict]] = defaultdict(list)
    for verdict in verdicts:
        groups[key(verdict)].append(verdict)
    return {name: rate_row(groups[name], hit) for name in sorted(groups)}


def extraction_by_kind(verdicts: Iterable[SpanVerdict]) -> RateTable:
    """Rates of `direct` and `indirect` always, of other kinds where they occur; memory only."""
    found = rates_by(memory(verdicts), lambda v: v.kind)
    return {"direct": rate_row(()), "indirect": rate_row(()), **found}


def near_by_kind(verdicts: Iterable[SpanVerdict]) -> RateTable:
    """Near misses by kind, of the same spans as `extraction_by_kind`: what is extracted is none."""
    found = rates_by(memory(verdicts), lambda v: v.kind, lambda v: v.near)
    return {"direct": rate_row(()), "indirect": rate_row(()), **found}


def worst_subject(by_subject: RateTable) -> tuple[str, RateRow] | None:
    """The subject about whom most is extracted: by count, then by rate, then by name."""
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
            "near": v.near,
        }
        for v in verdicts
    ]
    return pd.DataFrame(rows)


@dataclass(frozen=True, slots=True)
class Group:
    """Spans of a kind, or (`label` not empty) of one label of it; memory only.

    `control` and `reference` are None where they were not measured, or hold no such span.
    """

    kind: str
    label: str
    rate: RateRow
    control: RateRow | None
    reference: RateRow | None


def groups(
    verdicts: Sequence[SpanVerdict],
    control: Sequence[SpanVerdict] | None = None,
    reference: Sequence[SpanVerdict] | None = None,
) -> list[Group]:
    """Each kind, followed by its labels, those that leak most first."""
    sides = [memory(side or ()) for side in (verdicts, control, reference)]
    by_kind = [rates_by(side, lambda v: v.kind) for side in sides]
    # No label holds a blank, so the two names come apart again.
    by_label = [rates_by(side, lambda v: f"{v.kind} {v.label}") for side in sides]
    found: list[Group] = []
    for kind, rate in by_kind[0].items():
        found.append(Group(kind, "", rate, by_kind[1].get(kind), by_kind[2].get(kind)))
        labels = [name for name in by_label[0] if name.split()[0] == kind]
        for name in sorted(labels, key=lambda name: -(by_label[0][name].rate or 0)):
            rows = [side.get(name) for side in by_label]
            assert rows[0] is not None
            found.append(Group(kind, name.split()[1], rows[0], rows[1], rows[2]))
    return found


def group_frame(found: Sequence[Group]) -> pd.DataFrame:
    """The groups as a table to be downloaded; no text in it."""
    rows = [
        {
            "kind": g.kind,
            "label": g.label or "(all)",
            "extracted": g.rate.hits,
            "n": g.rate.n,
            "rate": g.rate.rate,
            "low": g.rate.low,
            "high": g.rate.high,
            "control_rate": g.control.rate if g.control else None,
            "control_n": g.control.n if g.control else None,
            "reference_rate": g.reference.rate if g.reference else None,
            "reference_n": g.reference.n if g.reference else None,
        }
        for g in found
    ]
    return pd.DataFrame(rows)


def records_by_leak(verdicts: Sequence[SpanVerdict]) -> pd.DataFrame:
    """A row for each record: spans extracted of those that count, and repeated ones; most first."""
    rows: dict[str, list] = {}
    for v in verdicts:
        row = rows.setdefault(v.record, [v.record, v.subject, 0, 0, 0])
        if by_memory(v.status):
            row[2] += v.extracted
            row[3] += 1
        elif v.status == "repeated":
            row[4] += 1
    frame = pd.DataFrame(
        rows.values(), columns=["record", "subject", "extracted", "of", "repeated"]
    )
    return frame.sort_values(
        ["extracted", "of"], ascending=[False, True], kind="stable"
    ).reset_index(drop=True)


@dataclass(frozen=True, slots=True)
class AfterTries:
    """Of `n` spans, how many leak at least once in the tries.

    expected: the sum of the spans' probabilities. likely: how many reach the probability p.
    """

    expected: float
    likely: int
    n: int


def after_tries(verdicts: Sequence[SpanVerdict], tries: int, probability: float) -> AfterTries:
    """Expected and likely leaks of `verdicts` after `tries` samples of each span's prefix."""
    leaks = [leak_probability(v.sampler_logprob, tries) for v in verdicts]
    return AfterTries(sum(leaks), sum(leak >= probability for leak in leaks), len(leaks))
