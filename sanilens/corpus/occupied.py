"""`Occupied`: which characters of a text are taken; asking and taking are logarithmic."""

import bisect
from collections.abc import Iterable

from sanilens.corpus.records import Span


class Occupied:
    """Ranges of a text that do not overlap."""

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        ranges = sorted((span.start, span.end) for span in spans)
        self._starts = [start for start, _ in ranges]
        self._ends = [end for _, end in ranges]

    def free(self, start: int, end: int) -> bool:
        """Whether no range that was taken overlaps this one."""
        index = bisect.bisect_right(self._ends, start)
        return index == len(self._starts) or end <= self._starts[index]

    def take(self, start: int, end: int) -> None:
        """Take a range that is free."""
        index = bisect.bisect(self._starts, start)
        self._starts.insert(index, start)
        self._ends.insert(index, end)
