"""Acceptance criteria: thresholds in a form or a file, judged for several runs in one table."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from sanilens.audit.attacks import ATTACKS
from sanilens.audit.continuations import Identifiers
from sanilens.audit.metrics import METRICS
from sanilens.errors import SaniLensError
from sanilens.evidence.build import build_evidence
from sanilens.evidence.evidence import Evidence
from sanilens.evidence.gate import (
    SAMPLE,
    Criteria,
    Judged,
    criteria_of,
    criteria_yaml,
    judge,
    parse_criteria,
    read_criteria,
)
from sanilens.runs.folder import RunFolder
from sanilens.runs.log import read_ledger, recent_events
from sanilens.runs.workspace import known_runs
from sanilens.ui.layout import card, show_error
from sanilens.ui.results import results
from sanilens.ui.run.naming import called_apart
from sanilens.ui.tables import Cell, Column, Row, show_table

_MEASURES = (
    "extraction", "change", "more_than_reference", "against_random", "against_other",
    *(name for name in METRICS if name != "extraction"), *(f"attack.{name}" for name in ATTACKS),
)  # fmt: skip
_COLUMNS = ("name", "measure", "of", "whose", "take", "bound", "threshold")
_MOST_RUNS = 5
_WHOEVER = "whoever"
_TONES = {"pass": "good", "fail": "alert"}


def criteria_card(run: RunFolder, found: Evidence, known: Identifiers) -> None:
    """Draw the criteria, and what came of each for this run and for others beside it.

    Args:
        run: the run that is reported.
        found: what it shows.
        known: what may not stand in a run's name.
    """
    with card("Acceptance criteria", "pass, fail or not measured; what is not measured never "
              "passes"):  # fmt: skip
        try:
            given = _given()
            with st.expander("Change the criteria…"):
                criteria = _form(given)
            others = _others(run, known)
            names = called_apart([run, *others], known)
            judged = {names[run]: judge(found, criteria)}
            judged |= {names[other]: judge(_evidence(other), criteria) for other in others}
        except SaniLensError as error:
            show_error(error)
            return
        _table(judged)
        st.download_button(
            "Criteria, YAML", criteria_yaml(criteria), "criteria.yaml", key="criteria-download",
            on_click="ignore",
        )  # fmt: skip
        st.code(f"sanilens gate {run.root} criteria.yaml", language="bash", wrap_lines=True)


def _given() -> Criteria:
    """Those of the file that was uploaded, or the sample's."""
    file = st.session_state.get("criteria-upload")
    return parse_criteria(file.getvalue(), "The file") if file else read_criteria(SAMPLE)


def _form(given: Criteria) -> Criteria:
    """The criteria as rows to be changed, taken out and added."""
    rows = pd.DataFrame([_row(each) for each in given.criteria], columns=list(_COLUMNS))
    mark = hashlib.sha256(criteria_yaml(given).encode()).hexdigest()[:8]
    edited = st.data_editor(
        rows,
        key=f"criteria-form-{mark}",
        num_rows="dynamic",
        hide_index=True,
        width="stretch",
        column_config={
            "name": st.column_config.TextColumn("name", required=True, max_chars=200),
            "measure": st.column_config.SelectboxColumn(
                "what", options=list(_MEASURES), default="extraction", required=True
            ),
            "of": st.column_config.TextColumn(
                "of", default="all", help="all, direct, indirect, label:NAME, or worst person"
            ),
            "whose": st.column_config.SelectboxColumn(
                "whose", options=[_WHOEVER, "asked", "others", "everyone", "earlier"],
                default=_WHOEVER, help="Whoever: those asked for, or everyone where nobody was.",
            ),
            "take": st.column_config.SelectboxColumn(
                "take", options=["value", "low", "high", "hits"], default="value", required=True,
                help="The value, an end of its 95 % interval, or the hits.",
            ),
            "bound": st.column_config.SelectboxColumn(
                "", options=["≤", "≥"], default="≤", required=True
            ),
            "threshold": st.column_config.TextColumn(
                "threshold", required=True, help="A number (0.01), or: reference + 0.02"
            ),
        },
    )  # fmt: skip
    st.file_uploader("or upload a file of them (YAML)", ["yaml", "yml"], key="criteria-upload")
    return criteria_of([_fields(row) for row in edited.to_dict("records")], "The form")


def _row(each: Any) -> dict[str, Any]:
    return {
        "name": each.name, "measure": each.measure, "of": each.of, "whose": each.whose or _WHOEVER,
        "take": each.take, "bound": "≥" if each.at_most is None else "≤",
        "threshold": f"{each.threshold:g}" if isinstance(each.threshold, float)
        else each.threshold,
    }  # fmt: skip


def _fields(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row of the form as a file has it; an empty cell is left out."""
    own = {
        name: row[name]
        for name in ("name", "measure", "of", "whose", "take")
        if isinstance(row[name], str) and row[name].strip() and row[name] != _WHOEVER
    }
    threshold = str(row["threshold"] or "").strip()
    try:
        bound: float | str = float(threshold)
    except ValueError:
        bound = threshold
    return own | {"at_least" if row["bound"] == "≥" else "at_most": bound}


def _others(run: RunFolder, known: Identifiers) -> list[RunFolder]:
    every = {other.root.name: other for other in known_runs() if other.root != run.root}
    ready = {name: other for name, other in every.items() if _finished(other)}
    if not ready:
        return []
    names = called_apart(list(ready.values()), known)
    chosen = st.multiselect(
        "Beside other runs", list(ready), key="criteria-runs", max_selections=_MOST_RUNS,
        format_func=lambda name: names[ready[name]], placeholder="Choose runs",
    )  # fmt: skip
    return [ready[name] for name in chosen]


def _finished(run: RunFolder) -> bool:
    try:
        return read_ledger(recent_events(run)).finished
    except SaniLensError:
        return False


def _evidence(run: RunFolder) -> Evidence:
    events = recent_events(run)
    key = ("criteria", run.root.name, events[-1]["hash"] if events else "")
    return results().get(key, lambda: build_evidence(run))


def _table(judged: Mapping[str, Sequence[Judged]]) -> None:
    """A row a criterion, and of each run what was found and whether that will do."""
    columns = [Column("criterion"), Column("threshold")]
    for name in judged:
        columns += [Column(name), Column("found", "aside")]
    rows: list[Row] = []
    for row in zip(*judged.values(), strict=True):
        cells: list[str | Cell] = [row[0].name, row[0].threshold]
        for each in row:
            tone = _TONES.get(each.outcome, "warn")
            cells += [Cell(each.outcome, classes=f"sl-{tone}"), each.found]
        rows.append(Row(cells))
    show_table(columns, rows, "criteria")
