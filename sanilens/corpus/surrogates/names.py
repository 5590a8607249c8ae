"""`NameMap`: one subject's name words and the invented words that stand for them.

A name is read word by word, so that "Ana Ruiz", "RUIZ, Ana", "A. Ruiz" and "Ruiz" agree.
Titles, particles and generational suffixes stay. First names go to first names of the same
sex where the word lists know it; a word of a script other than Latin keeps its shape.
"""

import re
import unicodedata
from collections.abc import Callable
from random import Random

from sanilens.corpus.surrogates.identities import FEMALE_NAMES, MALE_NAMES, SURNAMES
from sanilens.corpus.surrogates.shapes import by_shape, like_case

_WORD = re.compile(r"[^\W\d_]+")
_KEPT = frozenset(
    """
    mr mrs ms miss mx dr prof professor sir dame lady lord rev fr sr jr ii iii iv phd md rn
    herr frau monsieur madame von van der den de del della di da dos la le el al bin ibn bint ter
    """.split()
)
_MALE, _FEMALE, _LAST = frozenset(MALE_NAMES), frozenset(FEMALE_NAMES), frozenset(SURNAMES)
_TRIES = 64
_SHORTEST_INSIDE = 3  # a shorter word stands in other words by chance


class NameMap:
    """Grows with the names it is shown; a word once mapped stays mapped."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._words: dict[str, str] = {}
        self._taken: set[str] = set()
        self._initials: dict[str, str] = {}

    def learn(self, name: str) -> None:
        """Choose a surrogate for each word of `name` that has none yet."""
        words = [found for found in _WORD.finditer(name) if _is_name(found.group())]
        comma = name.find(",")
        for number, found in enumerate(words):
            word = found.group()
            last = found.start() < comma if comma >= 0 else number == len(words) - 1
            if word.casefold() not in self._words:
                new = self._draw(word, last)
                self._words[word.casefold()] = new
                self._taken.add(new.casefold())

    def rename(self, name: str) -> str:
        """`name` with its words replaced, in the same order, case and punctuation."""
        self.learn(name)
        return _WORD.sub(lambda found: self._word(found.group()), name)

    def rename_inside(self, text: str, other: Callable[[str], str]) -> str:
        """`text` with the known words replaced wherever they stand, and `other` of the rest."""
        known = sorted((word for word in self._words if len(word) >= _SHORTEST_INSIDE), key=len)
        if not known:
            return other(text)
        pattern = re.compile(f"({'|'.join(map(re.escape, reversed(known)))})", re.IGNORECASE)
        pieces = pattern.split(text)
        return "".join(
            like_case(self._words.get(piece.casefold(), piece), piece) if odd % 2 else other(piece)
            for odd, piece in enumerate(pieces)
        )

    def _word(self, word: str) -> str:
        if len(word) == 1:
            return self._initial(word)
        if not _is_name(word):
            return word
        return like_case(self._words[word.casefold()], word)

    def _initial(self, letter: str) -> str:
        """The initial of the surrogate of a known word with this initial, or a fixed other one."""
        key = letter.casefold()
        if key not in self._initials:
            of_words = [new[0] for word, new in self._words.items() if word.startswith(key)]
            drawn = (by_shape(letter, self._rng) for _ in range(_TRIES))
            others = (new for new in (*of_words, *drawn) if new.casefold() != key)
            self._initials[key] = next(others, letter)
        return like_case(self._initials[key], letter * 2)

    def _draw(self, word: str, last: bool) -> str:
        """A word that is neither `word` itself nor in the map already."""
        pool = _pool(word.title(), last)
        for _ in range(_TRIES):
            new = self._rng.choice(pool) if pool else by_shape(word, self._rng)
            folded = new.casefold()
            if folded != word.casefold() and not (folded in self._words or folded in self._taken):
                return new
        return by_shape(word, self._rng)


def _is_name(word: str) -> bool:
    return len(word) > 1 and word.casefold() not in _KEPT


def _pool(word: str, last: bool) -> tuple[str, ...]:
    """The list to draw from: the one that knows `word`, else by its place in the name."""
    if not unicodedata.name(word[0], "").startswith("LATIN"):
        return ()
    first = word in _MALE or word in _FEMALE
    if word in _LAST and not first:
        return SURNAMES
    if last and (word in _LAST or not first):
        return SURNAMES
    if first and word not in _MALE:
        return FEMALE_NAMES
    if first and word not in _FEMALE:
        return MALE_NAMES
    return MALE_NAMES + FEMALE_NAMES
