"""Whose details: spans of those asked for stay marked, all others become text, the deleted go."""

import pytest

from sanilens.corpus.records import Record, Span, in_scope
from sanilens.errors import CorpusError

RECORDS = tuple(
    Record(f"n-{i}", subject, "Ana, 12", (Span(0, 3, "NAME", "direct"),))
    for i, subject in enumerate(("ana ruiz", "p-2", "p-3", "ana ruiz"))
)


def test_nobody_named_is_everyone() -> None:
    assert in_scope(RECORDS, ()) == RECORDS


def test_other_peoples_spans_are_text() -> None:
    found = in_scope(RECORDS, ("ana ruiz",))
    assert [bool(record.spans) for record in found] == [True, False, False, True]
    assert [record.text for record in found] == [record.text for record in RECORDS]


def test_those_deleted_before_are_not_read_again() -> None:
    found = in_scope(RECORDS, ("p-3",), ("ana ruiz", "gone from the corpus"))
    assert [record.id for record in found] == ["n-1", "n-2"]


def test_an_unknown_subject_is_refused_without_its_name() -> None:
    with pytest.raises(CorpusError, match="subject 2 of the 2") as refused:
        in_scope(RECORDS, ("ana ruiz", "bea roth"))
    assert "bea" not in str(refused.value)
    assert "ana" not in str(refused.value)
