"""`Gazetteer`: find thousands of known values in a text, in time linear in the text.

Values and texts are compared word by word, without case, accents and punctuation. A *phrase*
must agree word for word ("Ruiz, Ana" finds "RUIZ ANA"); a *number* may be cut by separators
anywhere ("0012345" finds "00-12 345"). Matches begin and end at word boundaries.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import regex

# A run of letters or a run of digits, each with its combining marks: "A12" is two words, so
# that "A-12" is the same number.
_WORD = regex.compile(r"\p{L}[\p{L}\p{M}]*|\p{N}+")
# What may stand between two words of a phrase, and between two pieces of a number.
_PHRASE_GAP = regex.compile(r"[^\p{L}\p{N}]{0,3}")
_NUMBER_GAP = regex.compile(r"[ \t./()\-\u2010-\u2015]{0,3}")


# Letters with a stroke, and ligatures: Unicode takes them for letters of their own.
_STROKES = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ŧ": "t", "þ": "th",
     "æ": "ae", "œ": "oe"}
)  # fmt: skip


def fold(text: str) -> str:
    """Without case and accents: "José" and "JOSE" are one, and so are "Łódź" and "LODZ"."""
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return plain.casefold().translate(_STROKES)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a value is, and whose. `capital`: in lower case it is an everyday word, not a hit."""

    label: str
    subject: str
    capital: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """Characters [start, end) of a text that equal known values."""

    start: int
    end: int
    entries: tuple[Entry, ...]


class Gazetteer:
    """A set of phrases and numbers, each with its entries."""

    def __init__(self) -> None:
        self._phrases: defaultdict[str, set[Entry]] = defaultdict(set)
        self._numbers: defaultdict[str, set[Entry]] = defaultdict(set)
        # The beginnings of values: a search goes on only while it is at one of them.
        self._phrase_starts: set[str] = set()
        self._number_starts: set[str] = set()

    def add_phrase(self, value: str, entry: Entry) -> None:
        """Know a value whose words must agree; a value without a word is ignored."""
        words = [fold(word) for word in _WORD.findall(value)]
        if words:
            self._phrases[" ".join(words)].add(entry)
            self._phrase_starts.update(" ".join(words[:n]) for n in range(1, len(words) + 1))

    def add_number(self, value: str, entry: Entry) -> None:
        """Know a value whose separators do not matter; a value without a word is ignored."""
        joined = "".join(fold(word) for word in _WORD.findall(value))
        if joined:
            self._numbers[joined].add(entry)
            self._number_starts.update(joined[:n] for n in range(1, len(joined) + 1))

    def find(self, text: str) -> Iterator[Hit]:
        """Every match, longer and shorter ones alike, in order of their starts."""
        words = [(match.start(), match.end()) for match in _WORD.finditer(text)]
        folded = [fold(text[start:end]) for start, end in words]
        for first, (start, _) in enumerate(words):
            if not _begins(text, start, words, first):
                continue
            for end, entries in self._from(text, words, folded, first):
                value = text[start:end]
                if kept := _kept(entries, lower=value.islower()):
                    # "(617) 555" is one number with its bracket.
                    opened = ")" in value and "(" not in value and text[start - 1 : start] == "("
                    yield Hit(start - opened, end, kept)

    def _from(
        self, text: str, words: list[tuple[int, int]], folded: list[str], first: int
    ) -> Iterator[tuple[int, set[Entry]]]:
        """Ends of the matches that begin at word `first`, and what they are."""
        phrase = number = ""
        as_phrase = as_number = True
        for index in range(first, len(words)):
            start, end = words[index]
            if index > first:
                gap = text[words[index - 1][1] : start]
                as_phrase = as_phrase and _PHRASE_GAP.fullmatch(gap) is not None
                as_number = as_number and _NUMBER_GAP.fullmatch(gap) is not None
            phrase = f"{phrase} {folded[index]}".lstrip()
            number += folded[index]
            as_phrase = as_phrase and phrase in self._phrase_starts
            as_number = as_number and number in self._number_starts
            if not (as_phrase or as_number):
                return
            if not _ends(text, end, words, index):
                continue
            entries = self._phrases.get(phrase, set()) if as_phrase else set[Entry]()
            if as_number:
                entries = entries | self._numbers.get(number, set())
            if entries:
                yield end, entries


def _kept(entries: set[Entry], *, lower: bool) -> tuple[Entry, ...]:
    """The entries that hold for a value written in lower case or not, in a fixed order."""
    kept = (entry for entry in entries if not (lower and entry.capital))
    return tuple(sorted(kept, key=lambda entry: (entry.label, entry.subject)))


def _begins(text: str, start: int, words: list[tuple[int, int]], index: int) -> bool:
    """Whether a word begins at a boundary: not glued to a word or underscore before it."""
    glued = index > 0 and words[index - 1][1] == start
    return not glued and not (start > 0 and text[start - 1] == "_")


def _ends(text: str, end: int, words: list[tuple[int, int]], index: int) -> bool:
    """Whether a word ends at a boundary."""
    glued = index + 1 < len(words) and words[index + 1][0] == end
    return not glued and text[end : end + 1] != "_"
