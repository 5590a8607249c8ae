"""Identifiers found in generated text: places, overlaps, short values, case, Unicode."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanilens.audit.leaks import Identifiers, Leak
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
