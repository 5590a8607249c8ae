"""Remarks on a file, made once it is read: each one once, with its count and first place."""

from itertools import islice

from sanilens.notices import tell

# A file of a thousand unknown labels is told of once.
_MOST = 20


class Remarks:
    """Collects remarks on the records of one file."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._found: dict[str, tuple[int, str]] = {}

    def note(self, what: str, where: str, count: int = 1) -> None:
        """Note something of a record; `{n}` in `what` becomes how often it was noted."""
        noted, first = self._found.get(what, (0, where))
        self._found[what] = (noted + count, first)

    def tell(self) -> None:
        """Tell what was noted to whoever listens."""
        for what, (count, first) in islice(self._found.items(), _MOST):
            place = first.removeprefix(f"{self._file}, ")
            tell(f"{self._file}: {what.format(n=f'{count:,}')} (first: {place}).")
        if (more := len(self._found) - _MOST) > 0:
            tell(f"{self._file}: {more:,} further remarks of these kinds.")
