"""What this session has measured, kept in memory for it alone; the oldest goes first.

`st.cache_data` records and replays every element that is drawn while it computes, so a progress
bar cannot be drawn inside it; here it can.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import streamlit as st

T = TypeVar("T")
_MOST = 256


class Results:
    """Measurements by key: a name, the content measured, and the settings."""

    def __init__(self) -> None:
        """Start with none."""
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def __contains__(self, key: Hashable) -> bool:
        return key in self._kept

    def get(self, key: Hashable, measure: Callable[[], T]) -> T:
        """The result of that key, measured if it is missing; a failed one is not kept."""
        if key not in self._kept:
            self._kept[key] = measure()
            if len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def only(self, name: str, key: Hashable, measure: Callable[[], T]) -> T:
        """The same, of which only the last is kept: for what is large."""
        found = self._kept.get(name)
        if found is None or found[0] != key:
            self._kept[name] = found = (key, measure())
        return found[1]


@st.cache_resource(scope="session", show_spinner=False)
def results() -> Results:
    """This session's measurements."""
    return Results()
