"""Whether a span's offsets are meant as they are read: code points of the text, end exclusive.

Annotation tools count in bytes, in UTF-16 code units (those in JavaScript), from 1, or with an
inclusive end. A span's own text gives that away; without one, so do edges inside words.
"""

import itertools
import unicodedata
from collections.abc import Callable, Iterator, Sequence

_JOINER = "\u200d"
# Scripts that part their words by no blanks, or hang endings on a name.
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")

Range = tuple[int, int]
Reading = Callable[[Range], Range | None]


def trimmed(text: str, start: int, end: int) -> Range:
    """The range without blanks at its edges; empty if it holds nothing else."""
    value = text[start:end]
    return start + len(value) - len(value.lstrip()), end - len(value) + len(value.rstrip())


def cuts(text: str, at: int) -> bool:
    """Whether a place lies inside a word, a number or a character of several code points."""
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    if unicodedata.category(after)[0] == "M" or _JOINER in (before, after):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\u1160" <= after <= "\u11ff":
        return True  # a skin tone, and the later parts of a decomposed Hangul syllable
    if _is_flag_half(before) and _is_flag_half(after):
        run = itertools.takewhile(_is_flag_half, reversed(text[max(0, at - 100) : at]))
        return sum(1 for _ in run) % 2 == 1
    if before.isalpha() and after.isalpha():
        return not (_is_unspaced(before) or _is_unspaced(after))
    return before.isdigit() and after.isdigit()


def likely_meant(
    text: str, ranges: Sequence[Range], fits: Callable[[int, Range], bool]
) -> str | None:
    """How else the offsets may be counted, so that every range fits; None if no way does.

    Args:
        text: what the ranges are of.
        ranges: as they were given.
        fits: whether the n-th range, read in another way, may be what is meant.
    """
    for name, reading in _readings(text):
        found = map(reading, ranges)
        if all(place is not None and fits(n, place) for n, place in enumerate(found)):
            return name
    return None


def _readings(text: str) -> Iterator[tuple[str, Reading]]:
    if not text.isascii():
        yield "bytes of UTF-8", _counted(text, [len(c.encode("utf-8", "replace")) for c in text])
        yield "UTF-16 code units", _counted(text, [1 + (c > "\uffff") for c in text])
    yield "an inclusive end", lambda r: _inside(text, r[0], r[1] + 1)
    yield "characters from 1", lambda r: _inside(text, r[0] - 1, r[1] - 1)
    yield "characters from 1 with an inclusive end", lambda r: _inside(text, r[0] - 1, r[1])


def _counted(text: str, sizes: Sequence[int]) -> Reading:
    """Ranges in units of which each character takes so many."""
    place = {unit: index for index, unit in enumerate(itertools.accumulate(sizes, initial=0))}

    def read(given: Range) -> Range | None:
        start, end = (place.get(unit) for unit in given)
        return None if start is None or end is None else _inside(text, start, end)

    return read


def _inside(text: str, start: int, end: int) -> Range | None:
    return (start, end) if 0 <= start < end <= len(text) else None


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _is_unspaced(character: str) -> bool:
    return unicodedata.name(character, "").startswith(_UNSPACED)
