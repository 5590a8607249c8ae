"""The pieces every page is made of: header, chips, cards, tiles, empty states, next step."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

import streamlit as st
from markupsafe import Markup
from streamlit.delta_generator import DeltaGenerator

from sanilens.errors import SaniLensError
from sanilens.ui.markup import plain, show
from sanilens.ui.navigation import arrived, page

Tone = Literal["plain", "warn", "good", "alert"]


class Chip(NamedTuple):
    """A chip in the bar on top of a page; `lead` comes first, in bold, alone in a narrow window."""

    text: str
    tone: Tone = "plain"
    lead: str = ""


def case_chips(chips: Sequence[Chip]) -> DeltaGenerator:
    """Draw the chips; returns the bar's right end, for the page's buttons."""
    chip = Markup('<span class="sl-chip sl-{}"><b>{}</b> <span>{}</span></span>')
    drawn = [chip.format(each.tone, each.lead, each.text) for each in chips]
    with st.container(key="sl-bar", horizontal=True, vertical_alignment="center"):
        show(Markup('<div class="sl-chips">{}</div>').format(Markup("").join(drawn)))
        return st.container(
            horizontal=True, horizontal_alignment="right", gap="xsmall", width="content"
        )


def page_header(title: str, subtitle: str, *, first: bool = False) -> None:
    """Draw the page's name and a sentence on what it shows (Markdown).

    `first`: another header takes this one's place within the same run of the page.
    """
    arrived()
    with st.container(key="sl-head-first" if first else "sl-head", gap=None):
        st.header(title, anchor=False)
        st.markdown(subtitle)


@contextmanager
def card(title: str = "", note: str = "") -> Iterator[DeltaGenerator]:
    """A bordered box; `note` is at the right of its title, in grey."""
    box = st.container(border=True)
    with box:
        if title or note:
            show(
                Markup('<div class="sl-card-head"><h3>{}</h3><span>{}</span></div>').format(
                    title, note
                )
            )
        yield box


def pair(name: str, widths: Sequence[float]) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Two columns, one below the other where the window is narrow; `name` must be unique."""
    with st.container(key=f"sl-pair-{name}"):
        left, right = st.columns(list(widths), gap="small")
    return left, right


def kpi(*tiles: tuple[str, str, str]) -> None:
    """Draw tiles side by side, one number each: (label, value, note).

    The label says what the number is, the note what to compare it with.
    """
    tile = Markup('<div class="sl-kpi"><p>{}</p><strong{}>{}</strong><p>{}</p></div>')
    word = Markup(' class="sl-name"')  # too long for the size of a number
    drawn = Markup("").join(
        tile.format(label, word if len(value) > _LONG else "", value, note)
        for label, value, note in tiles
    )
    show(Markup('<div class="sl-kpis">{}</div>').format(drawn))


_LONG = 14


def show_error(error: SaniLensError) -> None:
    """Show a user's error, word for word."""
    st.error(plain(str(error)))


def _go(label: str, to: str, *, key: str) -> None:
    """A button that opens another page."""
    if st.button(label, key=key, type="primary"):
        st.switch_page(page(to))


def empty_state(text: str, button: str = "", to: str = "", *, key: str = "page") -> None:
    """Draw why a page, or a part of it under its own `key`, is empty.

    The button, if there is one, leads to the page where that can be changed.
    """
    with st.container(
        key=f"sl-empty-{key}", border=True, horizontal_alignment="center", gap="small"
    ):
        st.markdown(text, text_alignment="center")
        if to:
            _go(button, to, key=f"empty-{key}-to-{to}")


def next_step(text: str, to: str) -> None:
    """Draw, at the foot of a page, what comes next and the button that goes there."""
    with st.container(
        key="sl-next", horizontal=True, vertical_alignment="center", horizontal_alignment="right"
    ):
        st.markdown(text, width="content")
        _go(f"{to.capitalize()} →", to, key=f"next-to-{to}")


_STYLE = Path(__file__).with_name("style.css")


def apply() -> None:
    """Add the style sheet; call it once, before anything is drawn."""
    st.html(_STYLE)
