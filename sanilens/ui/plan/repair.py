"""The repair's settings, the controls and the seed, as a form that is always applied."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from sanilens.ui import state
from sanilens.ui.layout import card
from sanilens.ui.opened import Opened

_METHODS: Mapping[str, str] = {
    "anchored": "Anchored",
    "surrogate": "Surrogates",
    "masked": "Masked",
    "none": "None",
}
_METHOD_MEANING: Mapping[str, str] = {
    "anchored": "Trains on the notes, and at an identifier's place on what the base model, which "
    "never saw it, would say there.",
    "surrogate": "Trains on the notes with fresh, invented identifiers in every epoch: the model "
    "learns that they cannot be known.",
    "masked": "Trains on the notes, but never on a sensitive token (SANI). It can bring back part "
    "of what the edits erased.",
    "none": "The edits alone. What they break stays broken.",
}
_TRAINED: Mapping[str, str] = {"all": "All weights", "edited_layers": "Edited layers only"}


def repair_card(opened: Opened) -> None:
    """Draw the settings; each change is kept at once."""
    repair = state.repair()
    methods = [m for m in _METHODS if m != "anchored" or opened.base]
    with card("Repair"):
        _field("method", repair.method)
        st.segmented_control(
            "Method",
            methods,
            key="repair-method",
            format_func=lambda name: _METHODS[name],
            on_change=_keep,
            args=("method",),
            required=True,
        )
        st.caption(_METHOD_MEANING[repair.method])
        if repair.method == "anchored" and opened.base is None:
            st.warning("This repair needs the base model, and the case has none. Choose another.")
        if repair.method != "none":
            _training()
    with card("Controls and seed"):
        _options()


def _training() -> None:
    repair = state.repair()
    first, second, third = st.columns(3)
    _field("learning_rate", repair.learning_rate)
    first.number_input(
        "Learning rate", 1e-6, 1.0, step=1e-4, format="%.5f", **_widget("learning_rate")
    )
    _field("epochs", repair.epochs)
    second.number_input("Epochs", 1, 1000, **_widget("epochs"))
    _field("batch_size", repair.batch_size)
    third.number_input("Batch size", 1, 4096, **_widget("batch_size"))
    _field("train", repair.train)
    st.radio(
        "Weights to train",
        list(_TRAINED),
        format_func=lambda name: _TRAINED[name],
        horizontal=True,
        **_widget("train"),
    )
    _field("freeze_erased", repair.freeze_erased)
    st.checkbox(
        "Keep erased units as the edit left them",
        help="Their weights get no gradient, so the repair cannot teach them anything again.",
        **_widget("freeze_erased"),
    )
    st.session_state["repair-bfloat16"] = repair.precision == "bfloat16"
    st.checkbox(
        "Multiply in bfloat16",
        key="repair-bfloat16",
        on_change=_keep_precision,
        help="Faster where this machine's processor multiplies in it. The weights stay float32.",
    )
    _early_stop()


def _early_stop() -> None:
    rise = state.repair().max_perplexity_rise
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    st.session_state["repair-stops"] = rise is not None
    left.checkbox(
        "Stop early if perplexity rises",
        key="repair-stops",
        on_change=_keep_stop,
        help="After an epoch whose perplexity on unseen notes stands this share above the lowest "
        "seen.",
    )
    if rise is not None:
        st.session_state["repair-rise"] = 100 * rise
        right.number_input(
            "By more than, %",
            0.1,
            1000.0,
            step=1.0,
            key="repair-rise",
            on_change=_keep_stop,
            label_visibility="collapsed",
        )


def _options() -> None:
    options = state.run_options()
    left, right = st.columns([2, 1], vertical_alignment="center")
    st.session_state["plan-controls"] = options.controls
    left.checkbox(
        "Run the controls too",
        key="plan-controls",
        on_change=_keep_options,
        help="Repair only, random units + repair, edits without repair: without them nobody can "
        "tell what the chosen units did. They take about three times as long as the plan alone.",
    )
    st.session_state["plan-seed"] = options.seed
    right.number_input("Seed", 0, 2**31 - 1, key="plan-seed", on_change=_keep_options)
    if not options.controls:
        st.caption("Without controls, Compare cannot say what the chosen units contributed.")


def _field(name: str, value: Any) -> None:
    """The state decides what a widget shows, also after another page or an uploaded plan."""
    st.session_state[f"repair-{name}"] = value


def _widget(name: str) -> dict[str, Any]:
    return {"key": f"repair-{name}", "on_change": _keep, "args": (name,)}


def _keep(name: str) -> None:
    value = st.session_state[f"repair-{name}"]
    state.set_repair(state.repair().model_copy(update={name: value}))


def _keep_precision() -> None:
    precision = "bfloat16" if st.session_state["repair-bfloat16"] else "float32"
    state.set_repair(state.repair().model_copy(update={"precision": precision}))


def _keep_stop() -> None:
    share = st.session_state.get("repair-rise", 10.0) / 100
    rise = round(share, 6) if st.session_state["repair-stops"] else None
    state.set_repair(state.repair().model_copy(update={"max_perplexity_rise": rise}))


def _keep_options() -> None:
    state.set_run_options(
        replace(
            state.run_options(),
            controls=st.session_state["plan-controls"],
            seed=st.session_state["plan-seed"],
        )
    )
