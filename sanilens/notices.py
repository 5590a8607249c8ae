"""Notices: what was read otherwise than it stands, told to whoever listens.

A span may lose a blank at its edge, or `subject_id` be read as the subject: no error, but nothing
to be silent about. A notice gives counts and places, never a value. Who loads something says it
with `tell`; who shows results listens with `hearing`. Without a listener nobody is told.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class _Listener:
    aloud: Callable[[str], None]
    heard: list[str] = field(default_factory=list)


_LISTENERS: ContextVar[tuple[_Listener, ...]] = ContextVar("listeners", default=())


def tell(notice: str) -> None:
    """Tell all who listen; the same notice is told once to each."""
    for listener in _LISTENERS.get():
        if notice not in listener.heard:
            listener.heard.append(notice)
            listener.aloud(notice)


@contextmanager
def hearing(aloud: Callable[[str], None] = lambda _: None) -> Iterator[list[str]]:
    """Listen: `aloud` is called with each new notice, and the list that is yielded keeps them."""
    listener = _Listener(aloud)
    token = _LISTENERS.set((*_LISTENERS.get(), listener))
    try:
        yield listener.heard
    finally:
        _LISTENERS.reset(token)


def heard() -> tuple[str, ...]:
    """What the innermost listener has been told so far."""
    listeners = _LISTENERS.get()
    return tuple(listeners[-1].heard) if listeners else ()
