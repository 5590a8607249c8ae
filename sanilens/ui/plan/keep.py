"""How much of the fine-tuning stays: all weights go a part of the way back to the base model."""

from dataclasses import replace

import streamlit as st

from sanilens.ui import state
from sanilens.ui.layout import card
from sanilens.ui.opened import Opened


def keep_card(opened: Opened) -> None:
    """Draw the slider; without a base model there is nothing to go back to."""
    if opened.base is None:
        return
    options = state.run_options()
    with card("Fine-tuning", "in all weights, before the units"):
        st.session_state["plan-keep"] = round(100 * options.keep)
        st.slider(
            "Share that stays, %",
            0,
            100,
            step=5,
            key="plan-keep",
            on_change=_keep,
            help="100: nothing is undone. 0: the base model. Memory of single notes fades faster "
            "on this way than what many notes share, so that a short repair is enough.",
        )
        if options.keep < 1:
            st.caption(
                "On the bundled clinic 10 %, and one epoch of anchored repair, left a model that "
                "span probabilities do not tell from the reference (page Bench). The what-if "
                "below shows the units' edits alone."
            )


def _keep() -> None:
    state.set_run_options(replace(state.run_options(), keep=st.session_state["plan-keep"] / 100))
