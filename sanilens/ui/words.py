"""The help drawer: what the words mean, to be opened on every page."""

import streamlit as st
from markupsafe import Markup

from sanilens.glossary import GLOSSARY
from sanilens.ui.markup import show

_LIST = Markup('<dl class="sl-words">{}</dl>')
_ENTRY = Markup("<dt>{}</dt><dd>{}</dd>")


def words_button() -> None:
    """Draw the button, in the sidebar, that opens the drawer."""
    if st.button("What the words mean", key="words", type="tertiary"):
        _drawer()


@st.dialog("What the words mean", width="large")
def _drawer() -> None:
    wanted = st.text_input(
        "Look for a word", placeholder="arms, look-alikes, KS p, …", key="words-wanted"
    )
    found = entries(wanted)
    if not found:
        st.caption("No such word here. Shorten it, or look for another.")
        return
    show(_LIST.format(Markup("").join(_ENTRY.format(*entry) for entry in found)))


def entries(wanted: str) -> list[tuple[str, str]]:
    """Terms with their meaning by alphabet, but first those that are likeliest meant."""
    asked = wanted.strip().casefold()

    def rank(entry: tuple[str, str]) -> int | None:
        term, text = (part.casefold() for part in entry)
        if asked and term == asked:
            return 0
        if term.startswith(asked):
            return 1
        return 2 if asked in term else 3 if asked in text else None

    every = sorted(GLOSSARY.items(), key=lambda entry: entry[0].casefold())
    ranked = [(own, entry) for entry in every if (own := rank(entry)) is not None]
    return [entry for _, entry in sorted(ranked, key=lambda each: each[0])]
