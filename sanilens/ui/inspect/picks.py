"""Clicks, read before anything is drawn, so that one run shows what they chose."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from sanilens.model.units import Unit
from sanilens.ui import state
from sanilens.ui.components import picked
from sanilens.ui.inspect.shown import Shown
from sanilens.ui.state import Selection

NOTES, STRIP = "inspect-notes", "inspect-strip"
GRID, PLACES = "inspect-grid", "inspect-places"


def take_record(ids: Sequence[str]) -> None:
    """A click in the list of records opens that record."""
    rows = _selected(NOTES, "rows")
    if rows and state.is_new(NOTES, rows[0]) and rows[0] < len(ids):
        record = ids[int(rows[0])]
        if record != state.selection().record:
            state.select(Selection(record=record))


def take_span(at: Shown) -> None:
    """A click on a sensitive token selects its span; the unit is then the span's strongest."""
    index = picked(STRIP, at.index, int)
    if index is not None and index != at.index and 0 <= index < len(at.record.spans):
        span = at.record.span_id(at.record.spans[index])
        state.select(Selection(at.record.id, span))


def take_unit(table: str, units: Sequence[str]) -> None:
    """A click in the grid, or on a row of the unit table, opens that unit's card."""
    now = state.selection()
    unit = picked(GRID, now.unit, str)
    if unit != now.unit:
        state.select(Selection(now.record, now.span, unit))
    take_cell(table, units)


def take_cell(table: str, units: Sequence[str]) -> bool:
    """A click on a row of a table of units selects that unit; whether there was one."""
    cells = _selected(table, "cells")
    # No click is noted too: after a while on another page the same row can be clicked again.
    new = state.is_new(table, tuple(cells[0]) if cells else None)
    if not (cells and new and cells[0][0] < len(units)):
        return False
    now = state.selection()
    state.select(Selection(now.record, now.span, units[int(cells[0][0])]))
    return True


def open_unit(unit: Unit) -> None:
    """Open another unit's card (a button's callback)."""
    now = state.selection()
    state.select(Selection(now.record, now.span, str(unit)))


def forget_unit() -> None:
    """Go back to the strongest unit (a switch's callback)."""
    now = state.selection()
    state.select(Selection(now.record, now.span))


def chosen_rows(table: str) -> list[int]:
    """The rows that are ticked in a table."""
    return [int(row) for row in _selected(table, "rows")]


def _selected(table: str, what: str) -> list[Any]:
    found: Any = st.session_state.get(table) or {}
    return list(found.get("selection", {}).get(what, []))
