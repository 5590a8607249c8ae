"""How far an adapter's gates open, set by set: it should know what to forget from all the rest."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from markupsafe import Markup

from sanilens.runs.adapters import SETS, GateRow, GateSet, Place, load_gates, mean_gate
from sanilens.runs.folder import RunFolder
from sanilens.ui.layout import card
from sanilens.ui.markup import show

_SETS: dict[GateSet, str] = {
    "notes": "The corpus",
    "lookalike": "Look-alikes",
    "unseen": "Unseen records",
    "neutral": "Base model's own texts",
}
_PLACES: dict[Place, str] = {"before": "before an identifier", "elsewhere": "wording"}
_TABLE = Markup(
    '<table class="sl-table sl-arms"><thead><tr><th>read</th><th></th><th class="n">mean gate</th>'
    '{layers}<th class="n">open</th><th class="n">n</th></tr></thead><tbody>{rows}</tbody></table>'
)
_HEAD = Markup('<th class="n">edit {}</th>')
_CELL = Markup('<td class="n sl-mute">{:.2f}</td>')
_ROW = Markup(
    '<tr class="sl-{tone}"><td>{name}</td><td><div class="sl-bar" role="img" '
    'aria-label="mean gate {mean:.2f}, from 0 to 1"><b style="width:{width:.2f}%"></b></div></td>'
    '<td class="n"><b>{mean:.2f}</b></td>{layers}<td class="n">{open:.0f} %</td>'
    '<td class="n sl-mute">{n:,}</td></tr>'
)


def gates_card(run: RunFolder) -> None:
    """Draw the gates of a run's adapter; nothing if it has none."""
    rows = load_gates(run)
    if not rows:
        return
    with card("How far the gates open", "0: the text is left alone · 1: the edit is let through"):
        show(gate_table(rows))
        st.caption(
            "Mean over the edited layers, then each of them; open: gates above one half; n: tokens "
            "read. Before an identifier its first token is asked for. Gates that open on "
            "look-alikes know the form of a record, not who is meant."
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
    drawn = [
        _row(name, place, own)
        for place in _PLACES
        for name in SETS
        if (own := [row for row in rows if (row.set, row.place) == (name, place)])
    ]
    heads = Markup("").join(_HEAD.format(layer + 1) for layer in layers)
    return _TABLE.format(layers=heads, rows=Markup("").join(drawn))


def _row(name: GateSet, place: Place, own: Sequence[GateRow]) -> Markup:
    mean = mean_gate(own, name, place) or 0.0
    return _ROW.format(
        tone="leak" if (name, place) == ("notes", "before") else "control",
        name=f"{_SETS[name]}, {_PLACES[place]}",
        mean=mean,
        width=100 * mean,
        layers=Markup("").join(_CELL.format(row.mean) for row in own),
        open=100 * sum(row.open for row in own) / len(own),
        n=own[0].n,
    )
