"""What stands on the screen in the place of an identifier until it is revealed.

Length and layout are kept (offsets still fit, and `▒▒▒-▒▒▒▒` still reads as a number);
letters, digits and everything else that could tell who it is are not.
"""

import unicodedata

from sanilens.corpus.records import Record

MASK = "▒"


def _kept(char: str) -> bool:
    """Spaces, line ends and punctuation stay; letters, digits, marks and symbols go."""
    return char.isspace() or unicodedata.category(char).startswith("P")


def mask(text: str) -> str:
    """Mask all of a text: `(204) 771` becomes `(▒▒▒) ▒▒▒`. The length stays."""
    return "".join(char if _kept(char) else MASK for char in text)


def mask_record(record: Record, revealed: bool = False) -> str:
    """A record's text with its spans masked, or as it is when `revealed`.

    The length stays, so the text of a token is the same slice of the result.
    """
    if revealed:
        return record.text
    parts: list[str] = []
    end = 0
    for span in record.spans:
        parts += record.text[end : span.start], mask(record.value(span))
        end = span.end
    return "".join([*parts, record.text[end:]])
