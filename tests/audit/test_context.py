"""Memory or copying: what counts as standing in the prefix."""

import pytest

from sanilens.audit.context import span_status, stands_in
from sanilens.corpus.records import Span


@pytest.mark.parametrize(
    ("label", "value", "context", "repeated"),
    [
        ("NAME", "Ana Ruiz", "Seen today: Ana Ruiz, who", True),
        ("NAME", "Ruiz", "HODGES, Nayfa and RUIZ", True),
        ("NAME", "Ana Ruiz", "Mrs Ruiz came in", True),
        ("NAME", "Ana Ruiz", "The banana is fine", False),
        ("MRN", "4471203", "MRN 4471203 read back", True),
        ("MRN", "4471203", "MRN 4471204", False),
        ("PHONE", "(312) 771-0938", "call 312.771.0938 again", True),
        ("PHONE", "(312) 771-0938", "call (312) 771-0939", False),
        ("DATE_OF_BIRTH", "12/03/1961", "born 12 March 1961", True),
        ("DATE_OF_BIRTH", "1961-03-12", "born March 12, 1961", True),
        ("DATE_OF_BIRTH", "12/03/1961", "born in 1961, in March", False),
        ("ADMISSION_DATE", "2021-02-30", "seen 2021-02-28", False),
        ("EMAIL", "ana.ruiz@mail.example", "Mrs Ruiz came in", True),
        ("EMAIL", "aruiz83@mail.example", "Mrs Ruiz came in", True),
        ("EMAIL", "sunnyotter3@mail.example", "a second mail arrived", False),
        ("ADDRESS", "14 Maple Street", "lives in Maple Court", True),
        ("ADDRESS", "14 Maple Street", "a quiet street, 14 houses", False),
        ("RARE_CONDITION", "Castleman disease", "no other disease", False),
        ("RARE_CONDITION", "Castleman disease", "known Castleman for years", True),
        ("NAME", "Łódź Żak", "pan Żak", True),
    ],
)
def test_a_telling_part_makes_a_repeat(
    label: str, value: str, context: str, repeated: bool
) -> None:
    assert stands_in(value, label, context) == repeated


def test_status() -> None:
    span = Span(0, 3, "NAME", "direct")
    assert span_status(span, "Ana", "") == "no_prefix"
    assert span_status(span, "Ana", " \n") == "no_prefix"
    assert span_status(span, "Ana", "Seen today:") == "memory"
    assert span_status(span, "Ana", "Ana, seen today:") == "repeated"
