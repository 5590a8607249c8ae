"""How a pick in the browser becomes the page's selection.

The page owns what is selected. A component reports each click as `{"value": …, "turn": …}`; a
turn counts once, so an old click never overrides what the page has chosen since, and the same
thing can be picked twice.
"""

from pathlib import Path
from typing import Any, TypeVar

import streamlit as st
from streamlit.components import v2
from streamlit.components.v2.types import ComponentRenderer

_HERE = Path(__file__).parent
T = TypeVar("T", int, str)


def component(name: str, html: str) -> ComponentRenderer:
    """Register `<name>.js` and `<name>.css` of this folder; call it once, at import.

    `shared.css` and `shared.js` (the tooltip) are put before them: an inline component cannot
    import a second file.
    """
    css, js = (
        "\n".join((_HERE / f"{stem}.{kind}").read_text("utf-8") for stem in ("shared", name))
        for kind in ("css", "js")
    )
    return v2.component(f"sanilens_{name}", html=html, css=css, js=js)


def picked(key: str, selected: T | None, kind: type[T]) -> T | None:
    """The user's pick in the component `key` if it is new, else `selected`.

    A page that shows the selection above the component calls this first:
    `state.span = picked("tokens", state.span, int)`. What comes from the browser is checked to be
    of `kind`; whether it exists is the caller's question.
    """
    state: Any = st.session_state.get(key) or {}
    pick = state.get("pick")
    seen = f"{key}:seen"
    if not isinstance(pick, dict) or pick.get("turn") == st.session_state.get(seen):
        return selected
    st.session_state[seen] = pick.get("turn")
    value = pick.get("value")
    return value if type(value) is kind else selected
