"""The app's pages by name, in the sidebar's three groups.

A page's module is imported when the page is drawn, so the app starts without torch, and pages can
import this module to link to each other.
"""

import gc
from collections.abc import Mapping
from functools import cache, partial
from importlib import import_module

import streamlit as st
from markupsafe import Markup

from sanilens.ui.markup import show
from sanilens.ui.words import words_button

GROUPS: Mapping[str, tuple[str, ...]] = {
    "See": ("case", "audit", "inspect", "features", "codes", "localisers"),
    "Change": ("requests", "plan", "run"),
    "Show": ("compare", "attacks", "report", "record", "bench"),
}


def _draw(name: str) -> None:
    place = st.empty()
    if st.session_state.get(_HERE) != name:  # not at each click on it, or it would flicker
        st.session_state[_HERE] = name
        with place.container(key="sl-wait"):
            st.header(name.capitalize(), anchor=False)
            show(_BOXES)
        st.session_state[_WAITING] = place
    module = import_module(f"sanilens.ui.pages.{name}")
    _libraries_are_loaded()
    module.page()


@cache
def _libraries_are_loaded() -> None:
    """Leave what the libraries have made, which stays for good, out of all garbage collections.

    Streamlit collects after every run, and sends nothing meanwhile: half a second for half a
    million objects. The models come later, and are still collected.
    """
    gc.freeze()


_HERE, _WAITING = "page", "page-waiting"
_BOXES = Markup('<div class="sl-boxes" role="status" aria-label="loading">{}</div>').format(
    Markup("<i></i>") * 5
)


def arrived() -> None:
    """Take away what stood in a page's place while its libraries and models were loaded."""
    if place := st.session_state.pop(_WAITING, None):
        place.empty()


def page(name: str) -> st.Page:
    """The page of that name, as `st.switch_page` and `st.page_link` take it.

    Raises:
        KeyError: when there is no such page.
    """
    if not any(name in names for names in GROUPS.values()):
        raise KeyError(f"{name!r} is no page")
    # The default page's own path is dropped by Streamlit: Case is "/".
    return st.Page(
        partial(_draw, name), title=name.capitalize(), url_path=name, default=name == "case"
    )


def register() -> st.Page:
    """Make the pages known to Streamlit; returns the one that the address asks for."""
    groups = {group: [page(name) for name in names] for group, names in GROUPS.items()}
    return st.navigation(groups, position="hidden")


def sidebar(
    current: st.Page,
    notes: Mapping[str, str] | None = None,
    parameters: Mapping[str, str] | None = None,
) -> None:
    """Draw the brand and the links.

    Args:
        current: the page that is shown.
        notes: a word beside a page ("audit": "412").
        parameters: of the links' addresses.
    """
    notes = notes or {}
    with st.sidebar:
        show(
            Markup(
                '<div class="sl-brand"><b>SaniLens</b><span>see it, erase it, show it</span></div>'
            )
        )
        for group, names in GROUPS.items():
            show(Markup('<div class="sl-group">{}</div>').format(group))
            for name in names:
                note = f" :gray[{notes[name]}]" if name in notes else ""
                # Streamlit 1.67 does not mark the current link, so its container does.
                here = current.title == name.capitalize()
                with st.container(key="sl-here" if here else f"sl-to-{name}"):
                    st.page_link(
                        page(name),
                        label=name.capitalize() + note,
                        width="stretch",
                        query_params=parameters,
                    )
        words_button()
