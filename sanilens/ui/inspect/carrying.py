"""What carries the selected span: all units as a picture, the strongest as a table."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from sanilens.inspect.scores import UnitScores
from sanilens.model.units import Neuron
from sanilens.ui import state
from sanilens.ui.components import grid_rows, unit_grid
from sanilens.ui.inspect.adding import add_units, choose_operation, explained
from sanilens.ui.inspect.measured import effects, fires_on
from sanilens.ui.inspect.picks import GRID, chosen_rows
from sanilens.ui.inspect.scopes import scope_switch
from sanilens.ui.inspect.shown import Shown
from sanilens.ui.layout import card
from sanilens.ui.opened import Opened

TOP = 30


def grid_card(scores: UnitScores, unit: Neuron) -> None:
    """Every unit of the model, a row per layer."""
    planned = [edit.unit for edit in state.basket()]
    spans = f"{scores.targets:,} spans, summed"
    with card():
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown("**What carries this**", width="content")
            scope_switch()
            st.space("stretch")
            st.caption(spans if scores.targets > 1 else "gradient × activation", width="content")
        unit_grid(grid_rows(scores.values.numpy()), selected=str(unit), planned=planned, key=GRID)


def unit_table(opened: Opened, at: Shown, scores: UnitScores, key: str) -> None:
    """The strongest units, what zeroing each of them does, and the way into the plan."""
    top = neurons(scores, TOP)
    with card("Strongest units", "tick to choose, click a row for its card"):
        with st.spinner("Zeroing each of them, and five random ones…"):
            found = effects(opened, at, top)
        frame = _frame(scores, top, found.units, fires_on(opened, top))
        st.dataframe(
            frame,
            key=key,
            hide_index=True,
            height=38 + 35 * 8,
            on_select="rerun",
            selection_mode=["multi-row", "single-cell"],
            column_config={
                "share": st.column_config.NumberColumn(
                    format="%.3f", help="Of all that carries it, by gradient × activation."
                ),
                "Δ log p": st.column_config.NumberColumn(
                    "Δ log p, this span",
                    format="%+.3f",
                    help="Measured: what the span loses or gains, in nats, without the unit.",
                ),
                "fires on": st.column_config.TextColumn(
                    help="Labels that make up a quarter or more of its strongest hundredth."
                ),
            },
        )
        st.caption(
            f"Random units of the same layers instead: Δ log p {found.random_mean:+.3f} "
            f"± {found.random_deviation:.3f} ({len(found.random)} draws)."
        )
        _add_row(opened, scores, [top[i] for i in chosen_rows(key) if i < len(top)])


def neurons(scores: UnitScores, count: int) -> list[Neuron]:
    """The strongest neurons."""
    return [unit for unit in scores.units(count) if isinstance(unit, Neuron)]


def _frame(
    scores: UnitScores,
    units: Sequence[Neuron],
    changes: Sequence[float],
    labels: Sequence[Sequence[str]],
) -> pd.DataFrame:
    table = scores.frame()
    share = dict(zip(table["unit"], table["share"], strict=True))
    planned = {edit.unit: edit.operation for edit in state.basket()}
    names = [str(unit) for unit in units]
    return pd.DataFrame(
        {
            "unit": names,
            "share": [float(share[name]) for name in names],
            "Δ log p": list(changes),
            "fires on": [", ".join(each) or "–" for each in labels],
            "in plan": [planned.get(name, "–") for name in names],
        }
    )


def _add_row(opened: Opened, scores: UnitScores, ticked: Sequence[Neuron]) -> None:
    """Operation, then the ticked units or the first N of the whole ranking."""
    best = neurons(scores, st.session_state.get("top-n", 1))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        operation, value = choose_operation("table", best[0])
        many = f"{len(ticked)} unit" + "s" * (len(ticked) != 1)
        st.button(
            f"Add {many} to plan" if ticked else "Add to plan",
            key="add-ticked",
            type="primary",
            disabled=not ticked,
            on_click=add_units,
            args=(opened, ticked, operation, value),
        )
        st.space("stretch")
        count = st.number_input(
            "how many",
            1,
            scores.values.numel(),
            min(50, scores.values.numel()),
            key="top-n",
            label_visibility="collapsed",
            width=110,
        )
        st.button(
            f"Add the top {count:,}",
            key="add-top",
            on_click=add_units,
            args=(opened, neurons(scores, int(count)), operation, value),
        )
    st.caption(explained(opened, operation, best[0]))
