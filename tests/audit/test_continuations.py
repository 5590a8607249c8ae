"""What a model says at a span or after a prompt, and the identifiers found in generated text."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sanilens.audit.continuations import Identifiers, Leak, continue_spans
from sanilens.audit.extraction import audit_spans
from sanilens.corpus.records import Record, Span
from sanilens.model.generation import continue_text
from sanilens.model.language_model import LanguageModel
from tests.conftest import record

KNOWN = Identifiers.of(
    [
        record("Ana Ruiz, MRN 4471203", ("Ana Ruiz", "NAME"), ("4471203", "MRN")),
        record("Ana of Ełk, code 12", ("Ana", "NAME"), ("Ełk", "CITY"), ("12", "CODE")),
    ]
)


@pytest.mark.parametrize(
    ("text", "leaks"),
    [
        ("seen: ana ruiz.", [Leak(6, 14, "NAME")]),
        ("x4471203y", [Leak(1, 8, "MRN")]),
        ("Anatomy of 123", []),  # short values are words of any text
        ("in EŁK, 12 days", [Leak(3, 6, "CITY"), Leak(8, 10, "CODE")]),
        ("", []),
    ],
)
def test_find(text: str, leaks: list[Leak]) -> None:
    assert KNOWN.find(text) == leaks


def test_a_surname_alone_tells_who_it_is() -> None:
    text = "Ms Ruiz, number 4471203"
    assert [text[a:b] for a, b in KNOWN.telling(text)] == ["Ruiz", "4471203"]


@given(st.text())
def test_places_lie_in_the_text(text: str) -> None:
    assert all(0 <= leak.start < leak.end <= len(text) for leak in KNOWN.find(text))
    assert KNOWN.find(text + " Ana Ruiz")[-1].end == len(text) + 9


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("seen: Ana", 6),  # of Ana Ruiz
        ("seen: Ana Ru", 6),
        ("seen: Ana Rub", 13),
        ("number x447", 8),
        ("number 4471203", 14),  # it is whole
        ("Ms Rui", 3),  # of the surname alone
        ("", 0),
    ],
)
def test_the_end_of_a_text_may_become_an_identifier(text: str, at: int) -> None:
    assert KNOWN.unfinished(text) == at


def test_short_beginnings_need_not_count() -> None:
    assert KNOWN.unfinished("the r") == 4
    assert KNOWN.unfinished("the r", 3) == 5


@given(st.text(alphabet="an Ruiz4712", max_size=30), st.integers(0, 30))
@example("111111aRa", 8)
@example("44712034", 7)
def test_what_is_finished_stays_as_it_is(text: str, at: int) -> None:
    """Nothing that is not held back is found later, unless it is found already."""
    so_far = text[:at]
    certain = KNOWN.held_back(so_far)

    def found(text: str) -> set[int]:
        places = [(leak.start, leak.end) for leak in KNOWN.find(text)] + KNOWN.telling(text)
        return {i for start, end in places for i in range(start, end) if i < certain}

    assert found(text) <= found(so_far)


START = "Seen on the ward with 3 weeks"


def test_sayings_agree_with_verdicts(any_model: LanguageModel, records: list[Record]) -> None:
    said = continue_text(any_model, START, 3)
    end = len(START) + len(said)
    spoken = Record("said", "s", START + said + ".", (Span(len(START), end, "X", "direct"),))
    for own in [*records, spoken]:
        sayings = continue_spans(any_model, own)
        for span, verdict in zip(own.spans, audit_spans(any_model, [own]), strict=True):
            if verdict.extracted:
                assert sayings[verdict.span_id] == own.value(span)
            elif verdict.token_logprobs:
                assert sayings[verdict.span_id] != own.value(span)
