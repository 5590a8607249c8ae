"""`Gazetteer`: find thousands of known values in a text, in time linear in the text.

From each word the search goes on only while it reads the beginning of a known value, and no value
may have more than `limits.TERM_WORDS` words: no text and no list makes it slower than that.

Values and texts are compared word by word, without case, accents and punctuation. A *phrase*
must agree word for word ("Ruiz, Ana" finds "RUIZ ANA"); a *number* may be cut by separators
anywhere ("0012345" finds "00-12 345"). Matches begin and end at word boundaries.

Our own trie, since words are its letters: an Aho-Corasick automaton over characters would need the
text joined anew, its offsets mapped back and each gap checked, for a 30th of detection's time.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import regex

from sanilens.corpus import limits
from sanilens.errors import CorpusError

# A run of letters or a run of digits, each with its combining marks: "A12" is two words, so
# that "A-12" is the same number.
_WORD = regex.compile(r"\p{L}[\p{L}\p{M}]*|\p{N}+")
# Between two words of a phrase any three signs may stand; between two pieces of a number, these.
_LONGEST_GAP = 3
_NUMBER_GAP = " \t./()-\u2010\u2011\u2012\u2013\u2014\u2015"


# Letters with a stroke, and ligatures: Unicode takes them for letters of their own.
_STROKES = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ŧ": "t", "þ": "th",
     "æ": "ae", "œ": "oe"}
)  # fmt: skip


def fold(text: str) -> str:
    """Strip case and accents: "José" and "JOSE" become one, and so do "Łódź" and "LODZ"."""
    if text.isascii():
        return text.casefold()
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return plain.casefold().translate(_STROKES)


def folded_words(text: str) -> list[str]:
    """The words by which values and texts are compared."""
    return [fold(word) for word in _WORD.findall(text)]


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
    """A set of phrases and numbers, each with its entries.

    Of entries that differ only in their subject two are kept: enough to know that a value is
    shared, however many share it.
    """

    def __init__(self) -> None:
        self._phrases, self._numbers = _Trie(), _Trie()

    def add_phrase(self, value: str, entry: Entry) -> None:
        """Know a value whose words must agree; a value without a word is ignored.

        Raises:
            CorpusError: the value has too many words, or too much is known.
        """
        words = folded_words(value)
        if len(words) > limits.TERM_WORDS:
            raise CorpusError(
                f"a value to find has {len(words):,} words, more than {limits.TERM_WORDS}. "
                "Give a shorter part of it."
            )
        self._phrases.add(words, entry)

    def add_number(self, value: str, entry: Entry) -> None:
        """Know a value whose separators do not matter; a value without a word is ignored.

        Raises:
            CorpusError: the value has too many digits, or too much is known.
        """
        joined = "".join(folded_words(value))
        if len(joined) > limits.TERM_WORDS:
            raise CorpusError(
                f"a number to find has {len(joined):,} characters, more than {limits.TERM_WORDS}. "
                "Give a shorter part of it."
            )
        self._numbers.add(joined, entry)

    def find(self, text: str, *, longest: bool = False) -> Iterator[Hit]:
        """Every match, longer and shorter ones alike, in order of their starts.

        `longest`: only the longest of the matches that begin at the same word.
        """
        words = [(match.start(), match.end()) for match in _WORD.finditer(text)]
        folded = [fold(text[start:end]) for start, end in words]
        for first, (start, _) in enumerate(words):
            if not _begins(text, start, words, first):
                continue
            found = self._from(text, words, folded, first)
            for end, entries in reversed([*found]) if longest else found:
                value = text[start:end]
                if kept := _kept(entries, lower=value.islower()):
                    # "(617) 555" is one number with its bracket.
                    opened = ")" in value and "(" not in value and text[start - 1 : start] == "("
                    yield Hit(start - opened, end, kept)
                    if longest:
                        break

    def _from(
        self, text: str, words: list[tuple[int, int]], folded: list[str], first: int
    ) -> Iterator[tuple[int, list[Entry]]]:
        """Ends of the matches that begin at word `first`, and what they are."""
        phrase: int | None = 0
        number: int | None = 0
        for index in range(first, len(words)):
            start, end = words[index]
            if index > first:
                # Between two words stands neither a letter nor a digit, or they would be one.
                gap = text[words[index - 1][1] : start]
                phrase = phrase if len(gap) <= _LONGEST_GAP else None
                number = number if len(gap) <= _LONGEST_GAP and not gap.strip(_NUMBER_GAP) else None
            if phrase is not None:
                phrase = self._phrases.step(phrase, folded[index])
            if number is not None:
                number = self._numbers.walk(number, folded[index])
            if phrase is None and number is None:
                return
            entries = [*self._phrases.entries(phrase), *self._numbers.entries(number)]
            if entries and _ends(text, end, words, index):
                yield end, entries


class _Trie:
    """Values by their pieces: places that a step leads to, and the entries that end there.

    Flat, since an object for each of a million places would take many times the memory.
    """

    def __init__(self) -> None:
        self._steps: dict[tuple[int, str], int] = {}
        self._entries: dict[int, list[Entry]] = {}

    def add(self, pieces: Iterable[str], entry: Entry) -> None:
        place = 0
        for piece in pieces:
            place = self._steps.setdefault((place, piece), len(self._steps) + 1)
        if not place:
            return
        if len(self._steps) > limits.PLACES:
            raise CorpusError(
                f"there is too much to find: over {limits.PLACES:,} words of values. "
                "Split the list, or leave out who does not occur in the texts."
            )
        known = self._entries.setdefault(place, [])
        alike = [e for e in known if (e.label, e.capital) == (entry.label, entry.capital)]
        if len(alike) < 2 and entry not in alike:
            known.append(entry)

    def step(self, place: int, piece: str) -> int | None:
        """Where a piece leads from a place; None if no value goes on so."""
        return self._steps.get((place, piece))

    def walk(self, place: int, pieces: Iterable[str]) -> int | None:
        """Where several pieces lead."""
        for piece in pieces:
            if (found := self._steps.get((place, piece))) is None:
                return None
            place = found
        return place

    def entries(self, place: int | None) -> Sequence[Entry]:
        """What ends at a place."""
        return self._entries.get(place, ()) if place is not None else ()


def _kept(entries: Sequence[Entry], *, lower: bool) -> tuple[Entry, ...]:
    """The entries that apply to a value written in lower case, or not, in a fixed order."""
    if len(entries) == 1:
        return () if lower and entries[0].capital else (entries[0],)
    kept = {entry for entry in entries if not (lower and entry.capital)}
    return tuple(sorted(kept, key=lambda entry: (entry.label, entry.subject)))


def _begins(text: str, start: int, words: list[tuple[int, int]], index: int) -> bool:
    """Whether a word begins at a boundary: not glued to a word or underscore before it."""
    glued = index > 0 and words[index - 1][1] == start
    return not glued and not (start > 0 and text[start - 1] == "_")


def _ends(text: str, end: int, words: list[tuple[int, int]], index: int) -> bool:
    """Whether a word ends at a boundary."""
    glued = index + 1 < len(words) and words[index + 1][0] == end
    return not glued and text[end : end + 1] != "_"
