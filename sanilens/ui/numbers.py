"""Number fields whose bounds this app checks, so that a page knows when one of them is in red.

Streamlit's own bounds are checked in the browser alone: what is typed beyond them stays there, in
red, while the page goes on with the number of before, and would run with it.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import streamlit as st
from markupsafe import Markup
from streamlit.delta_generator import DeltaGenerator

from sanilens.ui.markup import show

N = TypeVar("N", int, float)

_WRONG = Markup('<p class="sl-wrong" role="alert">{}</p>')
_watching: ContextVar[list[str] | None] = ContextVar("wrong_fields", default=None)


@contextmanager
def watched() -> Iterator[list[str]]:
    """What is wrong with the fields that are drawn meanwhile: a sentence each, naming the field.

    A page holds its button back while there is any, and says so beside it.
    """
    found: list[str] = []
    token = _watching.set(found)
    try:
        yield found
    finally:
        _watching.reset(token)


def number(
    place: DeltaGenerator,
    label: str,
    least: N,
    most: N,
    value: N,
    *,
    key: str,
    step: N | None = None,
    keep: Callable[..., None] | None = None,
    args: Sequence[Any] = (),
    format: str | None = None,
    help: str | None = None,
    hidden: bool = False,
    width: int | None = None,
) -> N:
    """Draw a field for a number from `least` to `most`; the number, or the last one that was right.

    Args:
        place: where it is drawn.
        label: its name, which also says what is wrong.
        least: the least number that is right.
        most: the largest.
        value: with `keep`, what the field shows, whatever was typed before; without, what it starts
            with.
        key: of the widget.
        step: of its buttons.
        keep: called with `args` once a right number was typed (it stands in the session's state
            under `key`).
        args: for `keep`.
        format: of the number, in printf's language.
        help: a tooltip.
        hidden: the label is for screen readers alone.
        width: in pixels; all there is by default.
    """
    kind, last = type(value), f"{key}:right"
    if keep is not None:
        # What is wrong stays as typed until the value changes by another way, such as Undo.
        stays = st.session_state.get(last) == value and not _right(
            st.session_state.get(key), least, most
        )
        if key not in st.session_state or not stays:
            st.session_state[key] = value
        st.session_state[last] = value
    extra: dict[str, Any] = {}
    if keep is not None:  # in a form no field may have a callback
        extra = {"on_change": _checked, "args": (key, least, most, keep, args)}
    elif not least <= st.session_state.get(last, value) <= most:  # its bounds are others now
        st.session_state[key] = st.session_state[last] = min(max(value, least), most)
    else:
        # Also where the state has it: a browser that draws the field only now, because the page
        # ran twice at once, starts with this.
        extra = {"value": value}
    with place.container(gap="xxsmall", width=width or "stretch"):
        typed = st.number_input(
            label,
            # Without a start, by its step alone does Streamlit know a whole number.
            step=1 if step is None and kind is int else step,
            format=format,
            key=key,
            help=help,
            label_visibility="collapsed" if hidden else "visible",
            **extra,
        )
        if typed is not None and _right(typed, least, most):
            st.session_state[last] = kind(typed)
            return kind(typed)
        why = _between(least, most)
        show(_WRONG.format(f"Must be {why}."))
    if (found := _watching.get()) is not None:
        found.append(f"{label} must be {why}.")
    return st.session_state.get(last, value)


def _checked(
    key: str, least: float, most: float, keep: Callable[..., None], args: Sequence[Any]
) -> None:
    if _right(st.session_state[key], least, most):
        keep(*args)


def _right(typed: float | None, least: float, most: float) -> bool:
    return typed is not None and least <= typed <= most


def _between(least: float, most: float) -> str:
    if math.isinf(most):
        return f"at least {_written(least)}"
    return f"from {_written(least)} to {_written(most)}"


def _written(bound: float) -> str:
    return f"{bound:,}" if isinstance(bound, int) else f"{bound:g}"


def why_not(wrong: Sequence[str]) -> None:
    """Draw, beside a button that is held back, what has to be mended first."""
    if wrong:
        show(_WRONG.format(" ".join(wrong)))
