"""Correcting spans by hand: by selecting words of a text, and in a table of what is marked."""

import json
from collections.abc import Iterable

import pandas as pd
import streamlit as st

from sanilens.case import Case
from sanilens.corpus.corrections import label_and_kind, mark, span_of, with_spans
from sanilens.corpus.records import KIND_OF_LABEL, KINDS, Record
from sanilens.errors import SaniLensError
from sanilens.runs.workspace import keep_records
from sanilens.ui import state
from sanilens.ui.case.opening import corpus_stem
from sanilens.ui.components import pieces_of, text_marker
from sanilens.ui.layout import pair, show_error
from sanilens.ui.masking import mask_record
from sanilens.ui.state import Selection
from sanilens.ui.tables import rows_high

_HERE, _ALL = "this record", "all records"


def correct_spans(opened: Case) -> None:
    """Draw a record with its spans, the table of them, and a field to mark more."""
    st.caption("Changes are saved as a new corpus; your file stays as it is.")
    left, right = pair("spans", (3, 2))
    with left:
        record = _chosen(opened)
        _take_words(record)
    with right:
        _marking(opened, record)
        _table(opened, record)


def _chosen(opened: Case) -> Record:
    ids = [record.id for record in opened.corpus.records]
    start = state.selection().record
    name = st.selectbox(
        "Record",
        ids,
        index=ids.index(start) if start in ids else 0,
        key="correct-record",
        on_change=_pick,
    )
    return opened.corpus.records[ids.index(name)]


def _pick() -> None:
    state.select(Selection(st.session_state["correct-record"]))


_TEXT = "mark-text"


def _take_words(record: Record) -> None:
    """Draw the text, its spans masked unless revealed; words selected there fill the field."""
    key = f"spans-{record.id}"
    shown = mask_record(record, state.revealed(record.id))
    pieces = pieces_of(shown, [(span.start, span.end) for span in record.spans])
    chosen = text_marker(pieces, selected=st.session_state.get(f"{key}:words"), key=key)
    new = state.is_new(key, chosen)
    st.session_state[f"{key}:words"] = chosen
    if not (chosen and new):
        return
    own = pieces[chosen[0] : chosen[1] + 1]
    if any(piece.marked for piece in own):
        st.caption("Part of this is marked already: remove that span in the table first.")
        return
    st.session_state[_TEXT] = record.text[own[0].start : own[-1].end]


def _table(opened: Case, record: Record) -> None:
    text = mask_record(record, state.revealed(record.id))
    rows = [(s.start, s.end, s.label, s.kind, text[s.start : s.end]) for s in record.spans]
    frame = pd.DataFrame(rows, columns=["start", "end", "label", "kind", "text"])
    edited = st.data_editor(
        frame,
        key=f"span-table-{record.id}-{opened.corpus_fingerprint[:12]}-{state.revealed(record.id)}",
        num_rows="delete",
        hide_index=True,
        disabled=["text"],
        column_order=["text", "label", "kind"],
        height=min(rows_high(len(rows) + 1), 400),
        column_config={
            "label": st.column_config.TextColumn(validate=r"^[A-Z][A-Z0-9_]{0,39}$"),
            "kind": st.column_config.SelectboxColumn(options=list(KINDS)),
        },
    )
    own = ["start", "end", "label", "kind"]
    changed = not edited[own].equals(frame[own])
    if st.button("Save this record's spans", key="save-spans", disabled=not changed):
        _save(opened, record, edited.filter(items=own))


def _marking(opened: Case, record: Record) -> None:
    with st.form("mark", clear_on_submit=True, border=False):
        value = st.text_input(
            "Mark a text as sensitive",
            key=_TEXT,
            placeholder="select it in the text, or write it exactly as there",
        )
        labels = sorted({*KIND_OF_LABEL, *opened.corpus.labels})
        one, two, three = st.columns(3)
        label = one.selectbox("Label", labels, accept_new_options=True, key="mark-label")
        kind = two.selectbox("Kind", ["as usual", *KINDS], key="mark-kind")
        where = three.selectbox("Where", [_HERE, _ALL], key="mark-where")
        if st.form_submit_button("Mark", key="mark-submit"):
            _mark(opened, [record] if where == _HERE else opened.corpus.records, value, label, kind)


def _mark(opened: Case, records: Iterable[Record], value: str, label: str, kind: str) -> None:
    try:
        checked = label_and_kind(label, kind)
    except SaniLensError as error:
        show_error(error)
        return
    marked = {record.id: mark(record, value, *checked) for record in records}
    count = sum(number for _, number in marked.values())
    if not count:
        st.warning("Nothing was marked: the text does not occur, or is already marked.")
        return
    _keep(opened, {name: record for name, (record, _) in marked.items()})
    st.toast(f"Marked {count:,} occurrences.")
    st.rerun()


def _save(opened: Case, record: Record, table: pd.DataFrame) -> None:
    rows = json.loads(
        table.to_json(orient="records") or "[]"
    )  # numbers as Python's own, blanks as None
    try:
        spans = [span_of(row, number) for number, row in enumerate(rows, start=1)]
        corrected = with_spans(record, spans)
    except SaniLensError as error:
        show_error(error)
        return
    _keep(opened, {record.id: corrected})
    st.rerun()


def _keep(opened: Case, changed: dict[str, Record]) -> None:
    """Save the corpus with these records, and continue with it."""
    records = (changed.get(record.id, record) for record in opened.corpus.records)
    state.correct_corpus(keep_records(records, corpus_stem(opened.sources.corpus)))
