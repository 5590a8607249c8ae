"""The suggested share of units: less where only some people's details are asked for."""

import pytest

from sanilens.corpus.records import Record, in_scope
from sanilens.unlearn.choose import DEFAULT_SHARE, suggested_share


def test_the_share_follows_the_spans_that_are_asked_for(records: list[Record]) -> None:
    assert suggested_share(records, records) == DEFAULT_SHARE
    subject = records[0].subject
    asked = in_scope(records, (subject,))
    own = sum(len(r.spans) for r in records if r.subject == subject)
    every = sum(len(r.spans) for r in records)
    assert 0 < own < every
    assert suggested_share(records, asked) == pytest.approx(DEFAULT_SHARE * own / every)
    many = [*records * 40]
    assert suggested_share(many, asked) == 0.01
    assert suggested_share([], []) == DEFAULT_SHARE
