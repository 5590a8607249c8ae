"""The controls of a run and its seed."""

from dataclasses import replace

import streamlit as st

from sanilens.ui import state
from sanilens.ui.layout import card


def controls_card() -> None:
    """Draw both; each change is kept at once."""
    options = state.run_options()
    with card("Controls and seed"):
        left, right = st.columns([2, 1], vertical_alignment="center")
        st.session_state["plan-controls"] = options.controls
        left.checkbox(
            "Run the controls too",
            key="plan-controls",
            on_change=_keep,
            help="Repair only, random units + repair, edits without repair: without them nobody "
            "can tell what the chosen units did. They take about three times as long as the plan "
            "alone.",
        )
        st.session_state["plan-seed"] = options.seed
        right.number_input("Seed", 0, 2**31 - 1, key="plan-seed", on_change=_keep)
        if not options.controls:
            st.caption("Without controls, Compare cannot say what the chosen units contributed.")


def _keep() -> None:
    state.set_run_options(
        replace(
            state.run_options(),
            controls=st.session_state["plan-controls"],
            seed=st.session_state["plan-seed"],
        )
    )
