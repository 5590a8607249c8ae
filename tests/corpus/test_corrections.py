"""Spans corrected by hand."""

import pytest

from sanilens.corpus.corrections import label_and_kind, mark, span_of, with_spans
from sanilens.corpus.records import Record, Span, label_counts
from sanilens.errors import CorpusError

TEXT = Record("r", "s", "Ana met Anabel and Ana.")


def test_mark_takes_whole_words_that_no_span_holds() -> None:
    once, count = mark(TEXT, " Ana ", "NAME", "direct")
    assert [(s.start, s.end) for s in once.spans] == [(0, 3), (19, 22)]
    assert count == 2
    assert mark(once, "Ana", "CITY", "indirect") == (once, 0)
    assert mark(TEXT, "  ", "NAME", "direct") == (TEXT, 0)


def test_rows_become_spans_or_say_what_is_wrong() -> None:
    assert span_of({"start": 0.0, "end": 3, "label": "NAME"}, 1) == Span(0, 3, "NAME", "direct")
    for row in ({"start": None, "end": 3}, {"start": 0.5, "end": 3}, {"start": 0, "end": 3}):
        with pytest.raises(CorpusError, match="row 7"):
            span_of(row, 7)
    with pytest.raises(CorpusError, match="choose a kind"):
        label_and_kind("BED_NUMBER")
    assert label_and_kind("BED_NUMBER", "indirect") == ("BED_NUMBER", "indirect")


def test_overlaps_are_refused() -> None:
    with pytest.raises(CorpusError, match="overlaps"):
        with_spans(TEXT, [Span(0, 3, "NAME", "direct"), Span(2, 5, "NAME", "direct")])


def test_counts_tell_spans_from_values() -> None:
    (count,) = label_counts([mark(TEXT, "Ana", "NAME", "direct")[0]])
    assert (count.spans, count.values, count.records) == (2, 1, 1)
