"""A text in which a stretch of words is selected, with the mouse or the keyboard."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sanilens.ui.components.picking import component, picked

_HTML = """
<div class="root">
  <div class="words" role="listbox" aria-multiselectable="true"
       aria-label="words of the text"></div>
  <div class="legend">
    <span class="sensitive">marked already</span>
    <span class="keys">drag over words · or ← → and Shift, then Enter</span>
  </div>
  <div class="tip" role="tooltip" popover="manual"></div>
</div>
"""
_mount = component("text_marker", _HTML)
_PIECE = re.compile(r"\w+|\s+|[^\w\s]")
_RANGE = re.compile(r"(\d{1,7})-(\d{1,7})")


@dataclass(frozen=True, slots=True)
class Piece:
    """A word, a blank or a sign: characters [start, end) of the text; `marked` if a span has it."""

    text: str
    start: int
    end: int
    marked: bool = False


def pieces_of(text: str, marked: Sequence[tuple[int, int]] = ()) -> list[Piece]:
    """The words of a text, the stretches [start, end) that are `marked` each as one piece."""
    found: list[Piece] = []
    at = 0
    for start, end in [*marked, (len(text), len(text))]:
        found += [
            Piece(m[0], m.start(), m.end()) for m in _PIECE.finditer(text, at, max(at, start))
        ]
        if end > start:
            found.append(Piece(text[start:end], start, end, True))
        at = end
    return found


def text_marker(
    pieces: Sequence[Piece], *, selected: tuple[int, int] | None, key: str
) -> tuple[int, int] | None:
    """Draw the pieces; returns the first and the last selected one, after the user's last pick."""
    now = None if selected is None else f"{selected[0]}-{selected[1]}"
    found = _RANGE.fullmatch(picked(key, now, str) or "")  # it comes from the browser
    chosen = None
    if found and int(found[1]) <= int(found[2]) < len(pieces):
        chosen = int(found[1]), int(found[2])
    _mount(
        key=key,
        data={
            "pieces": [piece.text for piece in pieces],
            "marked": [piece.marked for piece in pieces],
            "selected": chosen,
        },
        on_pick_change=lambda: None,
    )
    return chosen
