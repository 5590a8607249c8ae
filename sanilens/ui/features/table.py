"""All features, scored on some spans: search, filters, pages, download, and into the plan."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from sanilens.audit.targets import Scope
from sanilens.case import Case
from sanilens.dictionaries.sae.features import score_features
from sanilens.dictionaries.sae.sae import Sae
from sanilens.ui import state
from sanilens.ui.inspect.selection import take_cell
from sanilens.ui.inspect.table import FEATURE_CLAMP
from sanilens.ui.layout import card
from sanilens.ui.navigation import page
from sanilens.ui.numbers import number, watched
from sanilens.ui.results import results
from sanilens.ui.tables import rows_high
from sanilens.unlearn.plan import Operation, UnitEdit

_PAGE = 25
_HELP = {
    "attribution": "The drop of the spans' log-probability without it, to first order, in nats.",
    "precision": "The share of its activation on the spans, against as many other tokens.",
    "recall": "The share of the spans' tokens on which it fires.",
    "auroc": "The probability that a span's token activates it more than another token.",
    "ratio": "How much more often it fires on the spans than on the other tokens.",
    "firing": "The share of tokens of both kinds on which it fires.",
}
_TABLE = "features-table"
_EVERYTHING = "all spans"


def feature_table(opened: Case, sae: Sae) -> None:
    """Draw the table, and the button that adds features to the plan."""
    with card("Features that matter for the spans", "tick to choose, click a row for its card"):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            label = st.selectbox(
                "Spans", [_EVERYTHING, *opened.corpus.labels], key="features-label", width=180
            )
            order = st.selectbox("Sort by", list(_HELP), key="features-sort", width=150)
            search = st.text_input("Feature", key="features-search", placeholder="88", width=110)
            here = st.container(width=140)
            least = number(
                here, "Precision at least", 0.0, 1.0, 0.0, step=0.05, key="features-least"
            )
            dead = st.toggle("show dead ones", key="features-dead")
        frame = _scores(opened, sae, label or _EVERYTHING)
        shown = filtered(frame, order or "attribution", search, least, dead=dead)
        pages = max(1, -(-len(shown) // _PAGE))
        page = min(int(st.session_state.get("features-page", 1)), pages)
        rows = shown.iloc[(page - 1) * _PAGE : page * _PAGE]
        picked = _rows(rows)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            compared = "compared with as many other tokens of the same records"
            st.caption(f"{len(shown):,} of {len(frame):,} features, {compared}")
            st.space("stretch")
            if pages > 1:
                st.pagination(pages, key="features-page")
            file = f"features-{sae.id}.csv"
            data = shown.to_csv(index=False)
            st.download_button("Download", data, file, "text/csv", on_click="ignore")
        _add(picked)


def filtered(
    frame: pd.DataFrame, order: str, search: str, least: float, *, dead: bool
) -> pd.DataFrame:
    """The rows wanted, highest first; `search` is a feature's number or its beginning."""
    keep = frame["precision"] >= least
    if not dead:
        keep &= frame["firing"] > 0
    if wanted := search.strip():
        keep &= frame["feature"].astype(str).str.startswith(wanted)
    kept: pd.DataFrame = frame.loc[keep]
    return kept.sort_values(order, ascending=False, kind="stable")


def _scores(opened: Case, sae: Sae, label: str) -> pd.DataFrame:
    scope = Scope() if label == _EVERYTHING else Scope(labels=frozenset({label}))
    key = ("features", opened.key, sae.fingerprint, label)
    with st.spinner("Scoring every feature…"):
        records = opened.corpus.records
        return results().get(key, lambda: score_features(opened.model, sae, records, scope))


def _rows(rows: pd.DataFrame) -> list[str]:
    planned = state.planned()
    shown = rows.drop(columns="feature").assign(
        plan=[planned.get(unit, "–") for unit in rows["unit"]]
    )
    event: Any = st.dataframe(
        shown,
        key=_TABLE,
        hide_index=True,
        height=rows_high(min(max(len(rows), 1), 12)),
        on_select="rerun",
        selection_mode=["multi-row", "single-cell"],
        column_config={
            **{
                name: st.column_config.NumberColumn(format="%.3f", help=text)
                for name, text in _HELP.items()
            },
            "plan": st.column_config.TextColumn("in plan"),
        },
    )
    units = [str(unit) for unit in rows["unit"]]
    if take_cell(_TABLE, units):
        st.switch_page(page("inspect"))
    return [units[i] for i in event["selection"]["rows"] if i < len(units)]


def _add(units: Sequence[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        operation = st.selectbox(
            "operation",
            ["clamp", "zero", "bake"],
            key="features-op",
            label_visibility="collapsed",
            width=110,
        )
        value = None
        here = st.container(width=130)
        with watched() as wrong:
            if operation == "clamp":
                value = number(
                    here, "times the norm", -5.0, 5.0, FEATURE_CLAMP, step=0.05,
                    key="features-value", hidden=True,
                )  # fmt: skip
        st.button(
            f"Add {len(units)} to plan" if units else "Add to plan",
            key="features-add",
            type="primary",
            disabled=not units or bool(wrong),
            on_click=_put,
            args=(units, operation or "zero", value),
        )
        st.caption(
            {
                "clamp": "wherever it fires, set to that many times the norm; as a hook",
                "zero": "set to 0 wherever it fires; as a hook",
                "bake": "its direction is removed from all weights that write it",
            }[operation or "zero"]
        )


def _put(units: Sequence[str], operation: Operation, value: float | None) -> None:
    state.add_edits(tuple(UnitEdit(unit=u, operation=operation, value=value) for u in units))
