"""What Inspect shows: a record, a span and a unit, chosen by clicks or by the address."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from sanilens.audit.context import by_memory
from sanilens.audit.extraction import SpanVerdict
from sanilens.audit.summary import memory, rate_row, records_by_leak
from sanilens.case import Case
from sanilens.corpus.records import Record, Span
from sanilens.dictionaries.sae.sae import Sae
from sanilens.errors import PlanError
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import Code, Feature, Unit, parse_unit
from sanilens.ui import state
from sanilens.ui.components import picked
from sanilens.ui.current_case import audit, audited
from sanilens.ui.layout import card
from sanilens.ui.markup import plain
from sanilens.ui.state import Selection
from sanilens.ui.tables import rows_high, tick_clicked


@dataclass(frozen=True, slots=True)
class Shown:
    """A record, its verdicts in the order of its spans, and the index of the selected span."""

    record: Record
    verdicts: tuple[SpanVerdict, ...]
    index: int | None

    @property
    def span(self) -> Span | None:
        """The selected span."""
        return None if self.index is None else self.record.spans[self.index]

    @property
    def span_id(self) -> str | None:
        """Its id."""
        return None if self.span is None else self.record.span_id(self.span)

    @property
    def verdict(self) -> SpanVerdict | None:
        """The audit's verdict on it."""
        return None if self.index is None else self.verdicts[self.index]


def shown(opened: Case, verdicts: Sequence[SpanVerdict], wanted: Selection) -> Shown:
    """The record and span wanted; else the leakiest record and its most certain span."""
    record = opened.record(wanted.record or "") or opened.record(
        str(records_by_leak(verdicts)["record"].iloc[0]) if verdicts else ""
    )
    record = record or opened.corpus.records[0]
    own = tuple(v for v in verdicts if v.record == record.id)
    ids = [v.span_id for v in own]
    return Shown(record, own, ids.index(wanted.span) if wanted.span in ids else _surest(own))


def _surest(verdicts: Sequence[SpanVerdict]) -> int | None:
    """The most certain of the memorised spans; the first span where none is."""
    asked = [i for i, v in enumerate(verdicts) if by_memory(v.status)]
    if not asked:
        return 0 if verdicts else None
    return max(asked, key=lambda i: (verdicts[i].extracted, verdicts[i].logprob))


def existing(
    model: LanguageModel,
    unit: str | None,
    find_sae: Callable[[str], Sae | None] = lambda _: None,
) -> Unit | None:
    """The unit of that name, if the model or an autoencoder found by `find_sae` has it.

    Not a code: those have a page of their own.
    """
    try:
        found = parse_unit(unit or "")
    except PlanError:
        return None
    if isinstance(found, Code):
        return None
    if isinstance(found, Feature):
        sae = find_sae(found.sae)
        return found if sae is not None and found.index < sae.width else None
    return found if model.sites.has(found) else None


NOTES, STRIP = "inspect-notes", "inspect-strip"
GRID, PLACES = "inspect-grid", "inspect-places"


def take_record(ids: Sequence[str]) -> None:
    """After a click in the list of records, open that record."""
    tick_clicked(NOTES)
    rows = _selected(NOTES, "rows")
    if rows and state.is_new(NOTES, rows[0]) and rows[0] < len(ids):
        record = ids[int(rows[0])]
        if record != state.selection().record:
            state.select(Selection(record=record))


def take_span(at: Shown) -> None:
    """After a click on a sensitive token, select its span and with it its strongest unit."""
    index = picked(STRIP, at.index, int)
    if index is not None and index != at.index and 0 <= index < len(at.record.spans):
        span = at.record.span_id(at.record.spans[index])
        state.select(Selection(at.record.id, span))


def take_unit() -> None:
    """After a click in the grid, open that unit's card."""
    now = state.selection()
    unit = picked(GRID, now.unit, str)
    if unit != now.unit:
        state.select(Selection(now.record, now.span, unit))


def take_cell(table: str, units: Sequence[str]) -> bool:
    """After a click on a row of a table of units, select that unit; says if there was one."""
    cells = _selected(table, "cells")
    # Remembered even without a click, so the same row can be clicked again later.
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


def sentence(opened: Case, at: Shown) -> str:
    """The page's subtitle (Markdown)."""
    own = rate_row(memory(at.verdicts))
    subject, record = plain(at.record.subject), plain(at.record.id)
    text = (
        f"Record {record} of {state.noun()} {subject}: **{own.hits} of {own.n}** sensitive spans "
        "can be extracted."
    )
    verdict = at.verdict
    if verdict is None:
        return text
    label = f"Selected: **{plain(verdict.label)}**"
    match verdict.status:
        case "no_prefix":
            return f"{text} {label}. No text comes before it, so it cannot be tested."
        case "repeated":
            why = ", but it already occurs in the text before it: copying, not memory"
        case "unwritable":
            return f"{text} {label}, which cannot be written with this model's tokenizer."
        case "maybe_repeated":
            why = ", but part of it occurs in the text before it, perhaps by chance"
        case "memory":
            why = _control(opened, verdict.label)
    return f"{text} {label}, probability {math.exp(verdict.logprob):.2f}{why}."


def _control(opened: Case, label: str) -> str:
    """The label's mean probability in look-alikes, if Audit has measured it."""
    settings = state.audit_settings()
    if not opened.corpus.control or not audited(opened.sources, settings, "control"):
        return ""
    asked = [v for v in memory(audit(opened.sources, settings, "control")) if v.label == label]
    mean = sum(math.exp(v.logprob) for v in asked) / len(asked) if asked else None
    return "" if mean is None else f" (look-alikes {mean:.2f})"


def notes_card(frame: pd.DataFrame, record: str) -> None:
    """Draw the list; `take_record` reads a click at the page's next run."""
    rows = [i for i, name in enumerate(frame["record"]) if name == record][:1] or [0]
    if NOTES not in st.session_state:
        state.is_new(NOTES, rows[0])  # what it shows at first is no pick
    leak = [f"{hits:>2} / {of}" for hits, of in zip(frame["extracted"], frame["of"], strict=True)]
    with card("Records, leakiest first"):
        st.dataframe(
            frame.assign(leak=leak),
            key=NOTES,
            column_order=["record", "subject", "leak"],
            hide_index=True,
            height=rows_high(min(23, len(frame))),
            on_select="rerun",
            selection_mode=["single-row-required", "single-cell"],
            selection_default={"selection": {"rows": rows}},
            column_config={
                "record": st.column_config.TextColumn(width=52),
                "subject": st.column_config.TextColumn(state.noun(), width=52),
                "leak": st.column_config.TextColumn(
                    width=52, help="Spans extracted, of those tested."
                ),
            },
        )
        st.caption(f"{len(frame):,} records; click one to open it")
