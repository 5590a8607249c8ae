"""Near misses: what stands in a secret's place is not the secret, but all but a little of it.

Whoever reads a record number with one digit wrong has it within a few tries. Two texts are near if
at most two characters must be inserted, deleted or replaced to make one of the other (Levenshtein),
in small letters, or as many of their digits. Of short values fewer: a third of their length, since
any name of three letters is two letters away from any other.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Nearness = Literal["same", "near", "different"]
MOST_EDITS = 2
# Fewer digits are an age or a day, and everything is near them.
_DIGITS = 4


def nearness(value: str, said: str) -> Nearness:
    """How near what is said comes to a value; blanks around either do not count.

    >>> nearness("447-1203", "447 1208"), nearness("Ana", "Eva"), nearness("Ruiz", "ruiz")
    ('near', 'different', 'near')
    """
    value, said = value.strip(), said.strip()
    if value == said:
        return "same"
    if is_near(value.casefold(), said.casefold()):
        return "near"
    digits, others = (_digits_of(text) for text in (value, said))
    return "near" if len(digits) >= _DIGITS and is_near(digits, others) else "different"


def edits_of(value: str) -> int:
    """How many edits away is still near a value of this length."""
    return min(MOST_EDITS, len(value) // 3)


def is_near(value: str, said: str) -> bool:
    """Whether at most `edits_of(value)` edits make one of the other; the same text is near."""
    return within(value, said, edits_of(value))


def within(one: str, other: str, most: int) -> bool:
    """Whether `most` edits make one text of the other; time grows with length times `most`."""
    if abs(len(one) - len(other)) > most:
        return False
    far = most + 1
    row = {j: j for j in range(min(most, len(other)) + 1)}  # a band around the diagonal
    for i, char in enumerate(one, 1):
        before, row = row, {}
        for j in range(max(0, i - most), min(len(other), i + most) + 1):
            found = before.get(j, far) + 1
            if j:
                replaced = before.get(j - 1, far) + (char != other[j - 1])
                found = min(found, replaced, row.get(j - 1, far) + 1)
            row[j] = found
        if min(row.values()) > most:
            return False
    return row[len(other)] <= most


def _digits_of(text: str) -> str:
    return "".join(char for char in text if char.isdecimal())


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Finds which of many words a text is near, without looking at each.

    With at most k edits, one of a word's k + 1 equal parts stays as it is, moved by at most k: so
    words are kept by their parts.
    """

    parts: Mapping[tuple[int, str], tuple[str, ...]]

    @classmethod
    def of(cls, words: Iterable[str]) -> "Neighbours":
        """Keep these words; those too short to have neighbours are left out."""
        found: dict[tuple[int, str], list[str]] = defaultdict(list)
        for word in words:
            if edits_of(word):
                for start, part in _parts(word):
                    found[start, part].append(word)
        return cls({key: tuple(own) for key, own in found.items()})

    def near(self, text: str) -> bool:
        """Whether some kept word is near `text`."""
        lengths = {length for d in (-2, -1, 0, 1, 2) if (length := len(text) + d) > 0}
        asked = set[str]()
        for size in {part for n in lengths for part in _sizes(n)}:
            for at in range(len(text) - size + 1):
                for moved in range(-MOST_EDITS, MOST_EDITS + 1):
                    asked |= {*self.parts.get((at + moved, text[at : at + size]), ())}
        return any(is_near(word, text) for word in asked)


def _parts(word: str) -> list[tuple[int, str]]:
    count = edits_of(word) + 1
    cuts = [len(word) * i // count for i in range(count + 1)]
    return [(a, word[a:b]) for a, b in pairwise(cuts)]


def _sizes(length: int) -> set[int]:
    count = min(MOST_EDITS, length // 3) + 1
    return {length // count, -(-length // count)}
