"""How long work tells what it is doing: steps of a stage, or plain lines.

Whatever is called may raise, which cancels the work: nobody who reports catches anything.
"""

from collections.abc import Callable
from typing import Protocol


class Progress(Protocol):
    """Hears how many steps of a stage are done; `note` is what comes next, or a figure."""

    def __call__(self, done: int, of: int, note: str = "", /) -> None: ...


Say = Callable[[str], None]
"""Hears a line for the person who watches."""


def unheard(_done: int, _of: int, _note: str = "", /) -> None:
    """Progress that nobody follows."""


def unsaid(_line: str, /) -> None:
    """Lines that nobody reads."""


def duration(seconds: float) -> str:
    """`about 2 min`, no more exact than an estimate is."""
    if seconds < 50:
        return f"about {max(5, 5 * round(seconds / 5))} s"
    if seconds < 90 * 60:
        return f"about {max(1, round(seconds / 60))} min"
    return f"about {seconds / 3600:.1f} h"
