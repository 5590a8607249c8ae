"""What carries the selected span: which spans, units and localiser, and a picture of it."""

from typing import Literal, get_args

import streamlit as st

from sanilens.model.units import Unit
from sanilens.ui import state
from sanilens.ui.components import GridRow, folded_rows, grid_rows, unit_grid
from sanilens.ui.inspect.lens import lens_view
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
from sanilens.ui.inspect.positions import positions_view
from sanilens.ui.inspect.scopes import scope_switch
from sanilens.ui.inspect.shown import Shown
from sanilens.ui.layout import card
from sanilens.ui.localisers.measuring import recall_of
from sanilens.ui.opened import Opened

View = Literal["units", "positions", "logit lens"]
VIEWS: tuple[View, ...] = get_args(View)
_VIEW = "inspect-view"
_WHAT: dict[View, str] = {
    "positions": "Σ |activation × gradient| of a layer's units at each token, towards the span",
    "logit lens": "the span's own tokens, read after every layer by the model's head",
}


def carrying_card(
    opened: Opened,
    at: Shown,
    asked: Ranking,
    scores: Scores | None,
    unit: Unit | None,
    *,
    revealed: bool,
) -> None:
    """The choice, then every unit of the model, every position, or every depth of the span."""
    with card():
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown("**What carries this**", width="content")
            scope_switch()
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            kind_switch(opened)
            sae_box(opened) if asked.sae else localiser_box(opened)
        with st.container(key="sl-view", horizontal=True, vertical_alignment="center", gap="small"):
            _view_switch()
            many = scores is not None and scores.targets > 1
            spans = f" · {scores.targets:,} spans, summed" if scores and many else ""
            words = asked.title + spans + _recall(opened, asked)
            words = words if view() == "units" else _WHAT[view()]
            st.caption(words, width="stretch")
        if scores is None:
            slow_panel(opened, asked)
        match view():
            case "units" if scores:
                _units(scores, unit)
            case "units":
                pass
            case "positions" if asked.sae:
                st.caption("Features stand at one site. Choose neurons or heads for this picture.")
            case "positions":
                positions_view(opened, at, asked.kind, revealed)
            case "logit lens":
                lens_view(opened, at, revealed)


def _recall(opened: Opened, asked: Ranking) -> str:
    # Measured on neurons alone: of heads and features it would claim what nobody has seen.
    neurons = asked.kind == "mlp" and not asked.sae
    found = recall_of(opened, asked.method) if neurons else None
    return "" if found is None else f" · found {found:.2f} of injected neurons, worst case"


def view() -> View:
    """The picture that the switch stands at."""
    return st.session_state.get(_VIEW, VIEWS[0])


def _view_switch() -> None:
    st.segmented_control(
        "Picture",
        VIEWS,
        default=VIEWS[0],
        required=True,
        key=_VIEW,
        label_visibility="collapsed",
        persist_state="session",
    )


def _units(scores: Scores, unit: Unit | None) -> None:
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
