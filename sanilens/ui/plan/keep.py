"""How much of the fine-tuning stays: all weights go a part of the way back to the base model."""

import streamlit as st

from sanilens.ui import state
from sanilens.ui.layout import card
from sanilens.ui.opened import Opened


def keep_card(opened: Opened) -> None:
    """Draw the slider; without a base model there is nothing to go back to."""
    share = state.keep()
    if opened.base is None:
        if share < 1:
            _left_out(share)
        return
    with card("Fine-tuning", "in all weights, before the units"):
        st.session_state["plan-keep"] = round(100 * share)
        st.slider(
            "Share that stays, %",
            0,
            100,
            step=5,
            key="plan-keep",
            on_change=_keep,
            help="100: nothing is undone. 0: the base model. Memory of single texts fades faster "
            "on this way than what many share, so that a short repair is enough.",
        )
        if share < 1:
            st.caption(
                "On the bundled clinic 10 %, and one epoch of anchored repair, left a model that "
                "span probabilities do not tell from the reference (page Bench). The what-if "
                "below shows the units' edits alone."
            )


def _keep() -> None:
    state.set_keep(st.session_state["plan-keep"] / 100)


def _left_out(share: float) -> None:
    st.warning(without_base(share))
    st.button("Go on without that", key="plan-keep-drop", on_click=state.set_keep, args=(1.0,))


def without_base(share: float) -> str:
    """What is said of a plan that keeps a part of the fine-tuning where there is no base model."""
    return (
        f"This plan keeps {100 * share:g} % of the fine-tuning, and this case has no "
        "base model to go back to: here all of it stays, and only the units and the repair "
        "count. Open the case with a base model to do what the plan says."
    )
