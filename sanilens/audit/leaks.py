"""Identifiers of the corpus in text that a model wrote, wherever they stand.

`find` gives the values themselves. `telling` gives the words and numbers that belong to one, so
that a page which masks can also mask a surname without its first name. `unfinished` says where the
end of a text that is still being written may be the beginning of one.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sanilens.audit.everyday import COMMON_WORDS
from sanilens.corpus.records import Record

# Shorter values are words and numbers of any text: they count as whole words only.
_SHORT = 5
_PIECE = re.compile(r"[^\W\d_]{3,}|\d{4,}")


@dataclass(frozen=True, slots=True, order=True)
class Leak:
    """Characters [start, end) of a text that are some subject's value of that label."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Identifiers:
    """Every sensitive value of a corpus, folded, with its label; built once, searched often.

    `ordered` are the values and their pieces, sorted.
    """

    values: Mapping[str, str]
    lengths: tuple[int, ...]
    pieces: frozenset[str]
    ordered: tuple[str, ...]

    @classmethod
    def of(cls, records: Iterable[Record]) -> "Identifiers":
        """Collect the values of all spans."""
        values: dict[str, str] = {}
        for record in records:
            for span in record.spans:
                values.setdefault(_folded(record.value(span)).strip(), span.label)
        values.pop("", None)
        pieces = {p for value in values for p in _PIECE.findall(value)} - COMMON_WORDS
        lengths = tuple(sorted({*map(len, values)}, reverse=True))
        return cls(values, lengths, frozenset(pieces), tuple(sorted({*values, *pieces})))

    def find(self, text: str) -> list[Leak]:
        """Values that stand in `text`, longest first where they overlap; in order."""
        folded = _folded(text)
        found: list[Leak] = []
        at = 0
        while at < len(folded):
            end = self._longest(folded, at)
            if end:
                found.append(Leak(at, end, self.values[folded[at:end]]))
            at = end or at + 1
        return found

    def telling(self, text: str) -> list[tuple[int, int]]:
        """Words and numbers of `text` that are part of some value, as [start, end)."""
        return [p.span() for p in _PIECE.finditer(_folded(text)) if p[0] in self.pieces]

    def unfinished(self, text: str, shortest: int = 1) -> int:
        """Where the end of `text` may begin a value, or a piece of one; its length if nowhere.

        A beginning of fewer than `shortest` characters is not counted.
        """
        folded = _folded(text)
        longest = self.lengths[0] if self.lengths else 0
        starts = range(max(0, len(folded) - longest), len(folded) - shortest + 1)
        return next((at for at in starts if self._begins(folded[at:])), len(folded))

    def _begins(self, end: str) -> bool:
        # What follows `end` in the order is the first that could go on where it stops.
        at = bisect_right(self.ordered, end)
        return at < len(self.ordered) and self.ordered[at].startswith(end)

    def _longest(self, folded: str, at: int) -> int | None:
        for length in self.lengths:
            end = at + length
            if folded[at:end] in self.values and (length >= _SHORT or _is_word(folded, at, end)):
                return end
        return None


def _is_word(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - 1) : start], text[end : end + 1]
    return not (before.isalnum() or after.isalnum())


def _folded(text: str) -> str:
    """Lower case, character by character, so that places in it are places in `text`."""
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)
