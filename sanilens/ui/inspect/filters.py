"""The filters of the table of units: their controls, and what these stand at."""

from typing import get_args

import streamlit as st

from sanilens.inspect.listing import ORDERS, Filters, Tri
from sanilens.ui.opened import Opened

_TRI: tuple[Tri, ...] = get_args(Tri)
_DEAD = {"all": "all", "only": "dead", "none": "firing"}
_PLANNED = {"all": "all", "only": "in plan", "none": "not in plan"}


def filters(*, layers: bool = True) -> Filters:
    """What the controls stand at; `layers`: whether the units stand in several."""
    now = st.session_state
    least, most = now.get("units-fires", (0, 100))
    return Filters(
        search=now.get("units-search", ""),
        layers=tuple(now.get("units-layers", ())) if layers else (),
        low=now.get("units-low"),
        high=now.get("units-high"),
        fires=(least / 100, most / 100),
        dead=now.get("units-dead", "all"),
        planned=now.get("units-planned", "all"),
        order=now.get("units-order", ORDERS[0]),
    )


def filter_bar(opened: Opened, *, layers: bool = True) -> None:
    """Search, filters and order in one row."""
    active = filters(layers=layers).active
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.text_input(
            "Search by name",
            key="units-search",
            placeholder="Search: mlp.5, mlp.5.217, 217",
            label_visibility="collapsed",
            width="stretch",
        )
        with st.popover(f"Filter · {active}" if active else "Filter"):
            _controls(opened, layers=layers)
        st.selectbox("Order", ORDERS, key="units-order", label_visibility="collapsed", width=140)


def _controls(opened: Opened, *, layers: bool) -> None:
    if layers:
        st.multiselect("Layers", range(opened.subject.sites.n_layers), key="units-layers")
    low, high = st.columns(2)
    low.number_input("Score from", value=None, format="%.4g", key="units-low")
    high.number_input("Score to", value=None, format="%.4g", key="units-high")
    st.slider("Fires on, % of tokens", 0, 100, (0, 100), key="units-fires")
    for label, key, names in (
        ("Dead on the sample", "units-dead", _DEAD),
        ("In the plan", "units-planned", _PLANNED),
    ):
        st.segmented_control(
            label, _TRI, default="all", required=True, key=key, format_func=names.__getitem__
        )
    st.button("Clear filters", key="units-clear", on_click=_clear)


def _clear() -> None:
    for name in ("layers", "low", "high", "fires", "dead", "planned"):
        st.session_state.pop(f"units-{name}", None)
