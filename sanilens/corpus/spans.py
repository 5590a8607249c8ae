"""A record's spans as a file gives them, checked against its text."""

import itertools
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.functional_validators import AfterValidator
from pydantic_core import PydanticCustomError

from sanilens.corpus.formats.rows import mistake
from sanilens.corpus.labels import kind_of, own_label
from sanilens.corpus.offsets import Range, cuts, likely_meant, trimmed
from sanilens.corpus.records import Kind, Span
from sanilens.corpus.remarks import Remarks
from sanilens.errors import CorpusError


def _label(theirs: str) -> str:
    if own_label(theirs) is None:
        raise PydanticCustomError("label", "is no label")
    return theirs


class SpanRow(BaseModel):
    """One entry of `spans` as a file gives it; `text` is what should stand at its offsets."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", hide_input_in_errors=True)

    start: Annotated[int, Field(ge=0)]
    end: int
    label: Annotated[str, AfterValidator(_label)]
    kind: Kind | None = None
    text: str | None = None


def checked_spans(
    text: str, given: Sequence[SpanRow], where: str, remarks: Remarks
) -> tuple[Span, ...]:
    """The spans in order of appearance; a file may give them in any order.

    Blanks at a span's edge are cut off, labels of other tools become ours, and a label that
    nobody knows counts as direct: all that is remarked.

    Raises:
        CorpusError: offsets outside the text or not where the span's own text stands, a span of
            blanks, two spans that overlap.
    """
    spans: list[Span] = []
    for number, span in enumerate(given, start=1):
        named = f"span {number} [{span.start}, {span.end})"
        if not span.start < span.end <= len(text):
            what = f"{named} lies outside the text of {len(text)} characters or is empty"
            raise _misplaced(where, what, text, given)
        if not _stands(text, (span.start, span.end), span):
            raise _misplaced(where, f"{named} has a `text` that does not stand there", text, given)
        start, end = trimmed(text, span.start, span.end)
        if start >= end:
            remedy = "Remove it, or correct its offsets."
            raise mistake(where, f"{named} covers blanks alone", remedy)
        if (start, end) != (span.start, span.end):
            remarks.note("{n} spans had blanks at an edge, which are cut off", where)
        spans.append(Span(start, end, *_labelled(span, where, remarks)))
    if cut := sum(not _clean(text, (span.start, span.end)) for span in spans):
        what = "{n} spans start or end inside a word or a character"
        ranges = [(span.start, span.end) for span in given]
        meant = likely_meant(text, ranges, lambda _, found: _clean(text, found))
        remarks.note(f"{what}; the offsets look like {meant}" if meant else what, where, cut)
    spans.sort()
    for before, after in itertools.pairwise(spans):
        if after.start < before.end:
            raise mistake(
                where,
                f"the spans [{before.start}, {before.end}) and [{after.start}, {after.end}) "
                "overlap",
                "Merge them, or shorten one.",
            )
    return tuple(spans)


def _labelled(span: SpanRow, where: str, remarks: Remarks) -> tuple[str, Kind]:
    """A span's label and kind: a kind that is given leaves the label as it is."""
    label = own_label(span.label, rename=span.kind is None) or span.label
    if label != span.label:
        remarks.note(f"label {span.label} is read as {label}", where)
    kind = span.kind or kind_of(label)
    if kind is None:
        remarks.note(
            f'label {label} is not known and counts as direct: give its spans a "kind"', where
        )
    return label, kind or "direct"


def _misplaced(where: str, what: str, text: str, given: Sequence[SpanRow]) -> CorpusError:
    """The error for offsets that cannot be meant so, with what they look like."""
    known = [span for span in given if span.text is not None] or given
    meant = likely_meant(
        text,
        [(span.start, span.end) for span in known],
        lambda index, found: _stands(text, found, known[index]) and _clean(text, found),
    )
    hint = f"They look like {meant}: convert them. " if meant else ""
    rule = "Offsets count characters (not bytes) from 0, and the end is exclusive."
    return mistake(where, what, hint + rule)


def _clean(text: str, found: Range) -> bool:
    return not (cuts(text, found[0]) or cuts(text, found[1]))


def _stands(text: str, found: Range, span: SpanRow) -> bool:
    """Whether a span's own text, if it has one, stands there; blanks at its edges aside."""
    return span.text is None or text[found[0] : found[1]].strip() == span.text.strip()
