"""Inspect: which units store a span, and what each of them does."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from sanilens.audit.summary import records_by_leak
from sanilens.case import Case
from sanilens.errors import SaniLensError
from sanilens.model.units import Unit
from sanilens.ui import state
from sanilens.ui.audit.measuring import verdicts
from sanilens.ui.commands import card_command, locate_command
from sanilens.ui.components import token_strip
from sanilens.ui.current_case import audited
from sanilens.ui.frame import case_bar, opened_case
from sanilens.ui.inspect import selection as picks
from sanilens.ui.inspect.carrying import carrying_card
from sanilens.ui.inspect.measured import acting, reading, unit_named
from sanilens.ui.inspect.scores import DEFAULT, chosen_name, chosen_scope, ranking, scores
from sanilens.ui.inspect.selection import Shown, notes_card, sentence, shown
from sanilens.ui.inspect.silenced import draw_set, set_card, set_known
from sanilens.ui.inspect.table import PAGE, listing, table_card
from sanilens.ui.inspect.tokens import Veil, strip_tokens, veil
from sanilens.ui.inspect.unit import unit_card, without
from sanilens.ui.layout import card, next_step, page_header, show_error
from sanilens.ui.state import Selection

_WHAT = "Which units store a span, and what each of them does."


def page() -> None:
    """Draw the page."""
    if (opened := opened_case("Inspect", _WHAT, "Nothing to inspect yet.")) is None:
        return
    bar, head = st.container(), st.empty()
    columns = _columns(opened, head)
    known = verdicts(opened, state.audit_settings(), "subject", "Testing every span")
    frame = records_by_leak(known)
    picks.take_record(frame["record"].tolist())
    at = shown(opened, known, state.selection())
    picks.take_span(at)
    at = shown(opened, known, state.selection())
    state.select(Selection(at.record.id, at.span_id, state.selection().unit))
    with head.container():
        page_header("Inspect", sentence(opened, at))
    hidden = veil(opened, at.record.id)
    with columns.container(key="sl-inspect"):
        left, middle, right = st.columns(_WIDTHS, gap="small")
        with left:
            notes_card(frame, at.record.id)
        with middle:
            note = st.container()
            command = _units(opened, at, hidden, note, right)
    with bar:
        case_bar(opened, command, selection=True)
    units = state.sidebar_notes().get("plan")
    next_step(f"In the plan: {units}." if units else "Next: add units to a plan.", "plan")


_WIDTHS = (2.3, 6, 3.2)


def _columns(opened: Case, head: DeltaGenerator) -> DeltaGenerator:
    """The place of all below the header; the page's outline while it is measured first."""
    # One place in either case, or the page of before would stay beside the new one for a while.
    place = st.empty()
    if audited(opened.sources, state.audit_settings()):
        return place
    with head.container():
        page_header("Inspect", _WHAT, first=True)
    with place.container():
        for column, heights in zip(st.columns(_WIDTHS, gap="small"), _HEIGHTS, strict=True):
            for height in heights:
                column.skeleton(height=height)
    return place


# Of what each column will hold, in pixels.
_HEIGHTS = ((760,), (205, 460, 200), (840,))


def _units(
    opened: Case, at: Shown, hidden: Veil, note: DeltaGenerator, right: DeltaGenerator
) -> list[str]:
    """Draw record, picture, table and card; returns the commands that print the same.

    What costs most is measured last, when everything else is on the screen.
    """
    if at.span is None:
        with note:
            _note(opened, at, hidden, None)
        st.info("This record has no sensitive span. Choose another, or mark one on Case.")
        return [locate_command(opened.sources, None, PAGE, DEFAULT)]
    commands: list[str] = []
    try:
        asked = ranking(opened, chosen_scope(opened, at, chosen_name()))
        commands.append(asked.command(opened, PAGE))
        found = scores(opened, asked)
        table = listing(opened, at, found) if found else None
        unit = unit_named(opened, state.selection().unit)
        unit = unit or (found.units(1)[0] if found else None)
        state.select(Selection(at.record.id, at.span_id, str(unit) if unit else None))
        with note:
            _note(opened, at, hidden, unit)
        units = table.units if table else []
        last = None
        if unit and set_known(opened, at, asked):  # the next unit was asked for: its card first
            with right:
                last = unit_card(opened, unit, units, hidden)
        place = set_card(opened, at, asked, found)
        carrying_card(opened, at, asked, found, unit)
        if unit is None:
            return commands
        rows = st.container()
        if last is None:
            with right:
                last = unit_card(opened, unit, units, hidden)
        if table:
            with rows:
                table_card(opened, at, table)
        if found and place:
            draw_set(place, opened, at, asked, found)()
        with last:
            without(opened, at, unit)
    except SaniLensError as error:
        show_error(error)
        return commands
    return [*commands, card_command(opened.sources, str(unit))]


def _note(opened: Case, at: Shown, hidden: Veil, unit: Unit | None) -> None:
    with card():
        tokens = strip_tokens(
            reading(opened, at),
            hidden,
            all_tokens=st.session_state.get("fill-all", False),
            acting=acting(opened, at, unit) if unit else None,
        )
        label = f"activation of {unit}" if unit else ""
        token_strip(tokens, selected=at.index, key=picks.STRIP, underline_label=label)
        st.toggle("fill all tokens, not only the sensitive ones", key="fill-all")
