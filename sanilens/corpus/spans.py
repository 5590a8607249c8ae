"""Check that a span's offsets mean what we read: code points of the text, end exclusive.

Annotation tools count in bytes, in UTF-16 code units (those in JavaScript), from 1, or with an
inclusive end. A span's own text gives that away; without one, so do edges inside words.
"""

import itertools
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.functional_validators import AfterValidator
from pydantic_core import PydanticCustomError

from sanilens.corpus.annotations import kind_of, own_label
from sanilens.corpus.formats.rows import mistake
from sanilens.corpus.records import Kind, Span
from sanilens.corpus.remarks import Remarks
from sanilens.errors import CorpusError

_JOINER = "\u200d"
# Scripts that part their words by no blanks, or hang endings on a name.
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")

Range = tuple[int, int]
Reading = Callable[[Range], Range | None]


def trimmed(text: str, start: int, end: int) -> Range:
    """The range without blanks at its edges; empty if it holds nothing else."""
    value = text[start:end]
    return start + len(value) - len(value.lstrip()), end - len(value) + len(value.rstrip())


def cuts(text: str, at: int) -> bool:
    """Whether a place lies inside a word, a number or a character of several code points."""
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    if unicodedata.category(after)[0] == "M" or _JOINER in (before, after):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\u1160" <= after <= "\u11ff":
        return True  # a skin tone, and the later parts of a decomposed Hangul syllable
    if _is_flag_half(before) and _is_flag_half(after):
        run = itertools.takewhile(_is_flag_half, reversed(text[max(0, at - 100) : at]))
        return sum(1 for _ in run) % 2 == 1
    if before.isalpha() and after.isalpha():
        return not (_is_unspaced(before) or _is_unspaced(after))
    return before.isdigit() and after.isdigit()


def likely_meant(
    text: str, ranges: Sequence[Range], fits: Callable[[int, Range], bool]
) -> str | None:
    """Another way of counting under which every range fits; None if there is none.

    Args:
        text: what the ranges are of.
        ranges: as they were given.
        fits: whether the n-th range, read in another way, may be what is meant.
    """
    for name, reading in _readings(text):
        found = map(reading, ranges)
        if all(place is not None and fits(n, place) for n, place in enumerate(found)):
            return name
    return None


def _readings(text: str) -> Iterator[tuple[str, Reading]]:
    if not text.isascii():
        yield "bytes of UTF-8", _counted(text, [len(c.encode("utf-8", "replace")) for c in text])
        yield "UTF-16 code units", _counted(text, [1 + (c > "\uffff") for c in text])
    yield "an inclusive end", lambda r: _inside(text, r[0], r[1] + 1)
    yield "characters from 1", lambda r: _inside(text, r[0] - 1, r[1] - 1)
    yield "characters from 1 with an inclusive end", lambda r: _inside(text, r[0] - 1, r[1])


def _counted(text: str, sizes: Sequence[int]) -> Reading:
    """The ranges, counted in units of which each character takes so many."""
    place = {unit: index for index, unit in enumerate(itertools.accumulate(sizes, initial=0))}

    def read(given: Range) -> Range | None:
        start, end = (place.get(unit) for unit in given)
        return None if start is None or end is None else _inside(text, start, end)

    return read


def _inside(text: str, start: int, end: int) -> Range | None:
    return (start, end) if 0 <= start < end <= len(text) else None


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _is_unspaced(character: str) -> bool:
    return unicodedata.name(character, "").startswith(_UNSPACED)


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

    Blanks at a span's edge are cut off, other tools' labels become ours, and an unknown label
    counts as direct: each of these is remarked on.

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
    """A span's label and kind; where the file gives a kind, the label stays as it is."""
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
    """The error for offsets that cannot be right, with what they look like."""
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
