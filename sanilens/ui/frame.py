"""The top of every page: the open case in chips, and what can be done with it anywhere."""

import time
from collections.abc import Sequence

import streamlit as st

from sanilens.case import Case
from sanilens.errors import SaniLensError
from sanilens.locked import locked
from sanilens.ui import drafts, links, state
from sanilens.ui.components import copy_button
from sanilens.ui.current_case import open_case
from sanilens.ui.layout import Chip, case_chips, empty_state, page_header, show_error
from sanilens.ui.revealing import reveal_button
from sanilens.ui.run.naming import examined


def opened_case(title: str, what: str, nothing: str) -> Case | None:
    """The open case; where there is none, the page is drawn with what to do about it.

    Args:
        title: the page's name.
        what: what it shows.
        nothing: what there is without a case, in a sentence.
    """
    ref = state.case()
    if ref is None:
        page_header(title, what)
        empty_state(f"{nothing} Open a case first.", "Open a case", "case")
        return None
    drafts.restore(ref)
    try:
        return open_case(ref, st.spinner)
    except SaniLensError as error:
        page_header(title, what)
        show_error(error)
        empty_state(
            "This case cannot be opened. Mend what is named above and load the page again, or "
            "open another one.",
            "Open another case",
            "case",
        )
        return None


def case_bar(opened: Case, command: Sequence[str], *, selection: bool = False) -> None:
    """Draw the case's chips, and at their right Reveal, Copy link and Copy as command.

    Args:
        opened: the open case.
        command: the command lines that do what the page does.
        selection: whether the link names the record that is shown, its span and unit.
    """
    links.publish(selection=selection)
    drafts.keep()
    with case_chips(chips(opened)):
        reveal_button(opened)
        copy_button(
            "Copy link",
            links.link(selection=selection),
            key="copy-link",
            width=92,
            hint="It holds only ids, and works only with this workspace.",
        )
        with st.popover("Copy as command"):
            st.code("\n".join(command), language="bash", wrap_lines=True)


def chips(opened: Case) -> list[Chip]:
    """What is open, in a few words."""
    sites = opened.model.sites
    family = sites.architecture.removesuffix("ForCausalLM").removesuffix("LMHeadModel")
    shape = f"{sites.n_layers} layers × {sites.d_mlp:,}"
    records, subjects = len(opened.corpus.records), len(opened.corpus.subjects)
    shown = state.reveals()
    minutes = max((max(shown.values()) - time.time()) / 60, 0) if shown else 0
    for_ = f"{len(shown):,} record{'s' * (len(shown) != 1)} shown, {minutes:.0f} min left"
    return [
        Chip(f"· {family} · {shape}", lead=examined(opened)),
        Chip(f"{records:,} records · {state.counted(subjects)}"),
        Chip(for_, "alert") if shown else Chip("identifiers masked", "warn"),
        *([Chip("locked: to look at", "good")] if locked() else []),
    ]
