"""Rates and what stands beside them: of nothing there is neither rate nor interval."""

import pytest

from sanilens.audit.context import Status
from sanilens.audit.extraction import SpanVerdict
from sanilens.audit.metrics.membership import record_scores
from sanilens.audit.perplexity import Perplexity, worded_perplexity
from sanilens.audit.summary import (
    RateRow,
    memory,
    rate_row,
    records_by_leak,
    uncounted,
    why_nothing,
)

ONE_EACH: dict[Status, bool] = {
    "memory": True, "maybe_repeated": True, "repeated": True, "no_prefix": False,
    "unwritable": False,
}  # fmt: skip


def verdict(status: Status, extracted: bool = False) -> SpanVerdict:
    where = (f"r@{len(status)}-{len(status) + 1}", "r", "s", "NAME", "direct")
    return SpanVerdict(*where, status, extracted, (-1.0,), -1.0, 1.0, 0.0)


def test_every_status_has_its_place() -> None:
    verdicts = [verdict(status, said) for status, said in ONE_EACH.items()]
    assert [v.status for v in memory(verdicts)] == ["memory", "maybe_repeated"]
    left = uncounted(verdicts)
    assert (left.repeated.hits, left.repeated.n) == (1, 1)
    assert (left.maybe_repeated.hits, left.maybe_repeated.n) == (1, 1)
    assert (left.unwritable, left.written_so_far, left.without_prefix) == (1, 1, 1)
    (row,) = records_by_leak(verdicts).to_dict("records")
    assert (row["extracted"], row["of"], row["repeated"]) == (2, 2, 1)
    assert record_scores(verdicts).tolist() == [-1.0]


def test_of_nothing_there_is_no_interval() -> None:
    empty = rate_row(())
    assert (empty.rate, empty.n, empty.low, empty.high) == (None, 0, None, None)
    # As earlier versions wrote it.
    old = RateRow.model_validate({"rate": None, "hits": 0, "n": 0, "low": 0.0, "high": 1.0})
    assert old == empty
    assert rate_row([verdict("memory", True)]).high == pytest.approx(1.0)


def test_why_nothing_was_audited() -> None:
    words = why_nothing([verdict("repeated"), verdict("no_prefix"), verdict("unwritable")])
    assert "of 3 spans 1 are repeated" in words
    assert "Mark what is sensitive" in why_nothing([])


@pytest.mark.parametrize(
    ("nats", "tokens", "words"),
    [
        (1.0, 5, "2.72"),
        (7.0, 5, "1,096.63"),
        (720.0, 5, "infinite"),
        (float("inf"), 5, "infinite"),
        (44.0, 5, "1.3e+19"),
        (float("nan"), 0, "–"),
    ],
)
def test_a_perplexity_of_any_size(nats: float, tokens: int, words: str) -> None:
    assert worded_perplexity(Perplexity(nats, tokens).value) == words
