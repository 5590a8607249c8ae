"""How far an adapter's gates open on each set of texts: wide only on what is to be forgotten."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from markupsafe import Markup

from sanilens.glossary import meaning
from sanilens.runs.adapters import SETS, GateRow, GateSet, Place, load_gates, mean_gate
from sanilens.runs.folder import RunFolder
from sanilens.ui.layout import card
from sanilens.ui.markup import show
from sanilens.ui.tables import Column, Row, bar, table

_SETS: dict[GateSet, str] = {
    "notes": "The corpus",
    "lookalike": "Look-alikes",
    "unseen": "Unseen records",
    "neutral": "Base model's own texts",
}
_PLACES: dict[Place, str] = {"before": "before an identifier", "elsewhere": "wording"}


def gates_card(run: RunFolder) -> None:
    """Draw the gates of a run's adapter; nothing if it has none."""
    rows = load_gates(run)
    if not rows:
        return
    with card("How far the gates open", "0: the text passes untouched · 1: the edit acts in full"):
        show(gate_table(rows))
        st.caption(
            "The mean over the edited layers, then each layer. *Before an identifier*: where its "
            "first token comes next. Gates that open on look-alikes as well recognise the form "
            "of a record, not the person."
        )
        st.download_button(
            "Download data",
            pd.DataFrame([row.model_dump() for row in rows]).to_csv(index=False),
            f"gates-{run.root.name}.csv",
            "text/csv",
            key="compare-gates",
            on_click="ignore",
        )


def gate_table(rows: Sequence[GateRow]) -> Markup:
    """One bar a set and place; those to be forgotten first, in the colour of what leaks."""
    layers = sorted({row.layer for row in rows})
    columns = [
        Column("text"),
        Column("", "bar"),
        Column("mean gate", "number", meaning("gate")),
        *(Column(f"edit {layer + 1}", "number aside", spare=True) for layer in layers),
        Column("open", "number", "Gates above one half."),
        Column("n", "number aside", "Tokens read."),
    ]
    drawn = [
        _row(name, place, own)
        for place in _PLACES
        for name in SETS
        if (own := [row for row in rows if (row.set, row.place) == (name, place)])
    ]
    return table(columns, drawn, "arms")


def _row(name: GateSet, place: Place, own: Sequence[GateRow]) -> Row:
    mean = mean_gate(own, name, place) or 0.0
    cells = (
        f"{_SETS[name]}, {_PLACES[place]}",
        bar(mean, f"mean gate {mean:.2f}, from 0 to 1"),
        Markup("<b>{:.2f}</b>").format(mean),
        *(f"{row.mean:.2f}" for row in own),
        f"{100 * sum(row.open for row in own) / len(own):.0f} %",
        f"{own[0].n:,}",
    )
    return Row(cells, "leak" if (name, place) == ("notes", "before") else "control")
