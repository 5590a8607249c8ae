"""Plan's card on rewriting: whether, by which teacher, at what cost, and what is predicted."""

import streamlit as st

from sanilens.case import Case
from sanilens.glossary import meaning
from sanilens.kept import kept_bytes
from sanilens.model.curvature import MOST_BYTES, needed_bytes
from sanilens.model.teachers import TEACHERS
from sanilens.runs.workspace import curvature_folder
from sanilens.ui import state
from sanilens.ui.layout import card
from sanilens.ui.numbers import number
from sanilens.ui.plan.trying import what_it_does
from sanilens.unlearn.plan import Rewriting
from sanilens.unlearn.suggest import REWRITTEN_BY_HAND, find_preset

_TEACHERS = {
    "stranger": "what the model says of a stranger",
    "base": "what the base model says",
    "uniform": "any surrogate, all alike",
}


def rewrite_card(opened: Case) -> None:
    """Draw the switch and, while it is on, its settings; every change is kept at once."""
    if opened.model.kind == "masked":
        return  # curvature is measured along a text
    units = sum(edit.operation == "rewrite" for edit in state.basket())
    # Units that are to be rewritten need to be told how; so a plan of them always is.
    settings = state.rewriting() or (find_preset(REWRITTEN_BY_HAND).rewrite if units else None)
    with card("Rewriting", "the change that moves least else"):
        st.session_state["plan-rewrite"] = settings is not None
        st.toggle(
            f"Rewrite the {units:,} units marked `rewrite`" if units else "Rewrite all weights",
            key="plan-rewrite",
            on_change=_switch,
            disabled=units > 0,
            help=meaning("rewriting"),
        )
        if settings is None:
            st.caption("Off: only the edits and the repair change the model.")
            return
        _settings(opened, settings)
        size = needed_bytes(opened.model, settings.layers or None) / 2**20
        kept = kept_bytes(curvature_folder()) / 2**20
        st.caption(
            "One pass over what must stay, then a few steps, until nothing that is asked is said "
            "any more, nor by more than one sample in a thousand.",
            help=f"What the pass finds is kept for this model, {size:,.0f} MiB; of all models "
            f"{kept:,.0f} of at most {MOST_BYTES / 2**20:,.0f} MiB are. The least recently used "
            "goes first.",
        )
        what_it_does(opened, settings)


def _settings(opened: Case, settings: Rewriting) -> None:
    teachers = [name for name in TEACHERS if name != "base" or opened.base is not None]
    st.session_state["plan-rewrite-teacher"] = settings.teacher
    st.selectbox(
        "In a secret's place stands",
        teachers,
        format_func=lambda name: _TEACHERS[name],
        key="plan-rewrite-teacher",
        on_change=_keep,
        args=("teacher", "plan-rewrite-teacher"),
    )
    left, middle, right = st.columns(3)
    number(
        left, "Harm allowed", 1e-5, 10.0, settings.budget, format="%.4f", step=1e-3,
        key="plan-rewrite-budget", keep=_keep, args=("budget", "plan-rewrite-budget"),
        help=meaning("harm"),
    )  # fmt: skip
    number(
        middle, "Most steps", 1, 1000, settings.most_steps, key="plan-rewrite-steps", keep=_keep,
        args=("most_steps", "plan-rewrite-steps"),
        help="It ends before where nothing that is asked is said any more, by a sample either.",
    )  # fmt: skip
    if state.subjects():  # of a plan for everyone nobody is left whose notes could be read
        number(
            right, "Trials", 0, 100, settings.trials, key="plan-rewrite-trials", keep=_keep,
            args=("trials", "plan-rewrite-trials"), help=meaning("came back"),
        )  # fmt: skip
    if state.repair().trains:
        st.session_state["plan-rewrite-last"] = settings.last
        st.toggle(
            "After the repair, for what that leaves", key="plan-rewrite-last", on_change=_keep,
            args=("last", "plan-rewrite-last"),
        )  # fmt: skip


def _switch() -> None:
    on = st.session_state["plan-rewrite"]
    state.set_rewriting((state.rewriting_left() or Rewriting()) if on else None)


def _keep(field: str, key: str) -> None:
    now = state.rewriting() or Rewriting()
    state.set_rewriting(now.model_copy(update={field: st.session_state[key]}))
