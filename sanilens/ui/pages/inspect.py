"""Inspect: which units carry a span, and what each of them does."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from sanilens.audit.groups import records_by_leak
from sanilens.errors import SaniLensError
from sanilens.ui import state
from sanilens.ui.audit.measuring import verdicts
from sanilens.ui.commands import card_command, locate_command
from sanilens.ui.components import token_strip
from sanilens.ui.frame import case_bar, opened_case
from sanilens.ui.inspect import picks
from sanilens.ui.inspect.carrying import TOP, grid_card, neurons, unit_table
from sanilens.ui.inspect.heading import sentence
from sanilens.ui.inspect.measured import reading, scores
from sanilens.ui.inspect.notes import notes_card
from sanilens.ui.inspect.scopes import chosen_name, chosen_scope
from sanilens.ui.inspect.shown import Shown, existing, shown
from sanilens.ui.inspect.strip import strip_tokens
from sanilens.ui.inspect.tokens import Veil, veil
from sanilens.ui.inspect.unit import unit_card
from sanilens.ui.layout import card, empty_state, next_step, page_header, show_error
from sanilens.ui.opened import Opened
from sanilens.ui.state import Selection

_WHAT = "Which units carry a span, and what each of them does."


def page() -> None:
    """Draw the page."""
    if (opened := opened_case()) is None:
        page_header("Inspect", _WHAT)
        empty_state("Nothing to inspect yet: open a case first.", "Open a case", "case")
        return
    known = verdicts(opened, state.audit_settings(), "subject", "Asking the model for every span")
    frame = records_by_leak(known)
    picks.take_record(frame["record"].tolist())
    at = shown(opened, known, state.selection())
    picks.take_span(at)
    at = shown(opened, known, state.selection())
    state.select(Selection(at.record.id, at.span_id, state.selection().unit))
    bar, head = st.container(), st.container()
    with head:
        page_header("Inspect", sentence(opened, at))
    hidden = veil(opened)
    with st.container(key="sl-inspect"):
        left, middle, right = st.columns([2.3, 6, 3.2], gap="small")
        with left:
            notes_card(frame, at.record.id)
        with middle:
            _note(opened, at, hidden)
        command = _units(opened, at, hidden, middle, right)
    with bar:
        case_bar(opened, command, selection=True)
    units = state.sidebar_notes().get("plan")
    next_step(f"In the plan: {units}." if units else "Add units to a plan to go on.", "plan")


def _note(opened: Opened, at: Shown, hidden: Veil) -> None:
    with card():
        tokens = strip_tokens(
            reading(opened, at), hidden, all_tokens=st.session_state.get("fill-all", False)
        )
        token_strip(tokens, selected=at.index, key=picks.STRIP)
        st.toggle("fill every token, not the sensitive ones alone", key="fill-all")


def _units(
    opened: Opened, at: Shown, hidden: Veil, middle: DeltaGenerator, right: DeltaGenerator
) -> list[str]:
    """Grid, table and card of the selected span; returns the commands that print the same."""
    if at.span is None:
        with middle:
            st.info("This record has no sensitive span. Choose another, or mark one on Case.")
        return [locate_command(opened.ref, None, TOP)]
    chosen = chosen_scope(opened, at, chosen_name())
    command = locate_command(opened.ref, chosen.option, TOP)
    table = f"units-{chosen.name}-{at.span_id}"
    try:
        with middle:
            found = scores(opened, chosen)
        ranked = neurons(found, TOP)
        picks.take_unit(table, [str(unit) for unit in ranked])
        unit = existing(opened.subject, state.selection().unit) or ranked[0]
        state.select(Selection(at.record.id, at.span_id, str(unit)))
        with middle:
            grid_card(found, unit)
            unit_table(opened, at, found, table)
        with right:
            unit_card(opened, at, unit, ranked, hidden)
    except SaniLensError as error:
        with middle:
            show_error(error)
        return [command]
    return [command, card_command(opened.ref, str(unit))]
