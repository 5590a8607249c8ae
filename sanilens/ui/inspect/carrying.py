"""What carries the selected span: which spans, units and localiser, and all units as a picture."""

import streamlit as st

from sanilens.model.units import Unit
from sanilens.ui import state
from sanilens.ui.components import GridRow, folded_rows, grid_rows, unit_grid
from sanilens.ui.inspect.localiser import (
    Ranking,
    Scores,
    kind_switch,
    localiser_box,
    noun,
    sae_box,
    slow_panel,
)
from sanilens.ui.inspect.picks import GRID
from sanilens.ui.inspect.scopes import scope_switch
from sanilens.ui.layout import card
from sanilens.ui.opened import Opened


def carrying_card(opened: Opened, asked: Ranking, scores: Scores | None, unit: Unit | None) -> None:
    """The choice, then every unit of the model, a row per layer; or a slow localiser's button."""
    with card():
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown("**What carries this**", width="content")
            scope_switch()
            st.space("stretch")
            kind_switch(opened)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            sae_box(opened) if asked.sae else localiser_box(opened)
            many = scores is not None and scores.targets > 1
            spans = f" · {scores.targets:,} spans, summed" if scores and many else ""
            st.caption(asked.title + spans, width="stretch")
        if scores is None:
            slow_panel(opened, asked)
            return
        unit_grid(
            _rows(scores),
            selected=str(unit),
            planned=[edit.unit for edit in state.basket()],
            key=GRID,
            noun=noun(scores.kind),
        )


def _rows(scores: Scores) -> list[GridRow]:
    values = scores.values.numpy()
    if scores.kind == "sae":
        return folded_rows(values, prefix=f"sae.{scores.sae}")
    return grid_rows(values, kind=scores.kind)
