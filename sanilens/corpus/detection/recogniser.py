"""`Recogniser`: a label, and the pattern that finds its values.

Presidio's own PatternRecognizer takes a whole match for the value. Here the words around a value
identify it and are not part of it, and a match that took too much is cut and searched again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import regex


def _all_of_it(value: str) -> tuple[int, int]:
    return 0, len(value)


@dataclass(frozen=True, slots=True)
class Recogniser:
    """A label and the pattern that finds it: the span is the pattern's group `value`.

    `accepts` refuses what has the form but is something else. `within` says which part of the
    match is the value, where a pattern alone cannot know: (0, 0) for none of it.
    """

    label: str
    pattern: regex.Pattern[str]
    accepts: Callable[[str], bool] = bool
    within: Callable[[str], tuple[int, int]] = _all_of_it

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Offsets of every value."""
        position = 0
        while (match := self.pattern.search(text, position)) is not None:
            start = match.start("value")
            first, end = self.within(match["value"])
            # What the pattern took beyond the value may hold the next one's beginning.
            position = start + end if first < end else start + 1
            if first < end and self.accepts(match["value"][first:end]):
                yield start + first, start + end
