"""Correct spans by hand: replace a record's spans, or mark every occurrence of a text."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sanilens.corpus.occupied import Occupied
from sanilens.corpus.records import KIND_OF_LABEL, KINDS, Kind, Record, Span
from sanilens.corpus.spans import trimmed
from sanilens.errors import CorpusError

LABEL = re.compile(r"[A-Z][A-Z0-9_]{0,39}")


def span_of(row: Mapping[str, Any], number: int) -> Span:
    """A span from one row of a table: `start`, `end`, `label`, and `kind` for an unusual label.

    Raises:
        CorpusError: naming the row and what to mend.
    """
    start, end = _whole(row.get("start")), _whole(row.get("end"))
    if start is None or end is None:
        raise CorpusError(f"row {number}: `start` and `end` must be whole numbers.")
    return Span(start, end, *label_and_kind(row.get("label"), row.get("kind"), number))


def label_and_kind(label: Any, kind: Any = None, number: int = 1) -> tuple[str, Kind]:
    """A checked label and its kind: the one given, else the one that the label is known to have.

    Raises:
        CorpusError: naming the row and what to mend.
    """
    if not isinstance(label, str) or not LABEL.fullmatch(label):
        raise CorpusError(
            f"row {number}: a label is 1 to 40 capitals, digits and underscores, such as NAME."
        )
    chosen = kind if kind in KINDS else KIND_OF_LABEL.get(label)
    if chosen is None:
        raise CorpusError(f"row {number}: choose a kind: {', '.join(KINDS)}.")
    return label, chosen


def with_spans(record: Record, spans: Iterable[Span]) -> Record:
    """The record with these spans instead of its own, in any order, without blanks at their edges.

    Raises:
        CorpusError: offsets outside the text, or two spans that overlap.
    """
    return replace(record, spans=tuple(sorted(_trimmed(record.text, span) for span in spans)))


def _trimmed(text: str, span: Span) -> Span:
    if not 0 <= span.start < span.end <= len(text):
        return span  # the record refuses it
    start, end = trimmed(text, span.start, span.end)
    return replace(span, start=start, end=end) if start < end else span


def mark(record: Record, value: str, label: str, kind: Kind) -> tuple[Record, int]:
    """Mark every occurrence of `value` that no span overlaps yet; also how many were marked.

    An occurrence inside a longer word or number is another value, and is left alone.
    """
    value = value.strip()
    if not value:
        return record, 0
    before = r"(?<!\w)" if value[0].isalnum() else ""
    after = r"(?!\w)" if value[-1].isalnum() else ""
    found = [m.span() for m in re.finditer(before + re.escape(value) + after, record.text)]
    taken = Occupied(record.spans)
    new = [Span(*place, label, kind) for place in found if taken.free(*place)]
    return (with_spans(record, (*record.spans, *new)), len(new)) if new else (record, 0)


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and float(value).is_integer() else None
