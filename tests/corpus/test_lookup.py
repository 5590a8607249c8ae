"""A name or a number, and whose it is: by any spelling, in memory, without its text."""

import pytest

from sanilens.corpus.lookup import find_people
from tests.conftest import record

ANA = ("Ana Ruíz", "NAME")
RECORDS = [
    record("MRN 447-1203, Ana Ruíz", ("447-1203", "MRN"), ANA, id="a", subject="p-1"),
    record("Seen: Ana Ruíz again", ANA, id="b", subject="p-1"),
    record("Tom Ruiz, age 4471", ("Tom Ruiz", "NAME"), ("4471", "AGE"), id="c", subject="p-2"),
    record("Nothing is marked for Eva Lang", id="d", subject="p-3"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("Ana Ruiz", [("p-1", True)]),
        ("  ruiz,  ANA ", [("p-1", True)]),
        ("ruiz", [("p-1", False), ("p-2", False)]),
        ("4471203", [("p-1", True)]),
        ("447 1203", [("p-1", True)]),
        ("4471", [("p-2", True)]),
        ("447", [("p-1", False)]),  # the beginning as it is written, not of the digits
        ("P-2", [("p-2", True)]),
        ("Eva Lang", []),
        ("Ana Lang", []),
        ("", []),
        ("  .,  ", []),
    ],
)
def test_whoever_it_fits_is_found(query: str, found: list[tuple[str, bool]]) -> None:
    assert [(p.subject, p.whole) for p in find_people(RECORDS, query)] == found


def test_the_answer_holds_ids_and_counts_and_no_text() -> None:
    (person,) = find_people(RECORDS, "ana ruiz")
    assert (person.records, person.spans, person.labels) == (2, 3, ("NAME",))
    assert "Ru" not in repr(person)


def test_a_hostile_query_takes_no_longer() -> None:
    assert find_people(RECORDS, "a" * 10_000_000) == []
    assert find_people(RECORDS, "\u0301" * 1000) == []
    assert find_people(RECORDS, "٤٤٧١٢٠٣") in ([], find_people(RECORDS, "4471203"))
