"""Masking identifiers: of a record those of its spans, of a model's words a whole slot."""

import unicodedata

from sanilens.corpus.records import Record

MASK = "▒"


def _kept(char: str) -> bool:
    """Whether a character stays: spaces, line ends and punctuation do."""
    return char.isspace() or unicodedata.category(char).startswith("P")


def mask(text: str) -> str:
    """Mask all of a text, keeping its length: `(204) 771` becomes `(▒▒▒) ▒▒▒`."""
    return "".join(char if _kept(char) else MASK for char in text)


SLOT = MASK * 6
"""What a model says in a secret's place, until revealed: of one length, whatever it says."""


def mask_record(record: Record, revealed: bool = False) -> str:
    """A record's text with its spans masked, or as it is if `revealed`.

    The length stays, so a token is the same slice of the result.
    """
    if revealed:
        return record.text
    parts: list[str] = []
    end = 0
    for span in record.spans:
        parts += record.text[end : span.start], mask(record.value(span))
        end = span.end
    return "".join([*parts, record.text[end:]])
