"""Masking keeps length and layout, and lets nothing else through."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanilens.corpus.records import Record, Span
from sanilens.ui.masking import MASK, mask, mask_record


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("(204) 771-0938", "(▒▒▒) ▒▒▒-▒▒▒▒"),
        ("two words\n", "▒▒▒ ▒▒▒▒▒\n"),
        ("e\u0301", "▒▒"),  # the accent alone would tell the letter
        ("a\u200bb\u202ec", "▒▒▒▒▒"),
        ("שלום", "▒▒▒▒"),
        ("", ""),
    ],
)
def test_mask(text: str, masked: str) -> None:
    assert mask(text) == masked


@given(st.text())
def test_mask_keeps_length_and_only_spaces_and_punctuation(text: str) -> None:
    masked = mask(text)
    assert len(masked) == len(text)
    for char in masked:
        assert char == MASK or char.isspace() or unicodedata.category(char).startswith("P")


def test_mask_record_masks_the_spans_only() -> None:
    text = "Unit AB-12 at quay 7."
    spans = (Span(5, 10, "DEVICE_SERIAL", "direct"), Span(14, 20, "ADDRESS", "direct"))
    record = Record("n-1", "p-1", text, spans)
    assert mask_record(record) == "Unit ▒▒-▒▒ at ▒▒▒▒ ▒."
    assert mask_record(record, revealed=True) == text
    assert mask_record(Record("n-2", "p-1", text)) == text
