"""Plan's card on rewriting: whether, by which teacher, at what cost, and what is predicted."""

from collections.abc import Sequence

import streamlit as st

from sanilens.audit.targets import Scope, find_targets
from sanilens.case import Case
from sanilens.errors import SaniLensError
from sanilens.glossary import meaning
from sanilens.inspect.controls import random_like
from sanilens.inspect.locate.localisers import Settings
from sanilens.inspect.locate.localisers.price import Quote, quoted
from sanilens.kept import kept_bytes
from sanilens.model.curvature import MOST_BYTES, needed_bytes
from sanilens.model.teachers import TEACHERS
from sanilens.model.units import Head, LayerUnit, Neuron
from sanilens.runs.workspace import asked_before, curvature_folder
from sanilens.ui import state
from sanilens.ui.job import progress_bar
from sanilens.ui.layout import card, kpi, show_error
from sanilens.ui.results import results
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
            f"Takes one pass over what must stay, once for this model ({size:,.0f} MiB on disk), "
            "then a few steps until nothing that is asked is said. Of such passes "
            f"{kept:,.0f} MiB are kept; beyond {MOST_BYTES / 2**20:,.0f} MiB the one that was of "
            "no use for longest goes."
        )
        if units:
            _prediction(opened)


# Nats a token at which units are compared: what one step may cost.
_HARM = 1e-3


def predicted(quote: Quote, units: Sequence[LayerUnit]) -> float:
    """How far L_S falls at a harm of 1e-3 nats a token: sqrt(2 eps <U, grad>), at most all of it.

    By first and second order, before any weight changes (inspect/locate/localisers/price.py).
    """
    return min(quote.loss, (2 * _HARM * max(0.0, quote.gained(units))) ** 0.5)


def _prediction(opened: Case) -> None:
    """Draw what the units in the basket would forget, beside random ones; measured once a scope."""
    own = [edit.target for edit in state.basket() if edit.operation == "rewrite"]
    units = [unit for unit in own if isinstance(unit, Neuron | Head)]
    if not units:
        return
    seed, subjects = state.run_options().seed, state.subjects()
    key = ("quote", opened.key, subjects, seed)
    if st.session_state.get("plan-quoted") != key and not st.button(
        "Predict what they forget",
        key="plan-predict",
        help="Reads what must stay once, with gradients; after that every choice of units is told "
        "at once.",
    ):
        return
    try:
        with progress_bar("Reading what must stay", "batches") as progress:
            earlier = asked_before(opened.sources.model) if subjects else ()
            keep = [r for r in opened.corpus.records if r.subject not in earlier]
            settings = Settings(seed=seed, progress=progress, keep=keep, folder=curvature_folder())
            asked = [r for r in opened.asked(subjects, earlier) if r.spans]
            quote = results().only(
                "quote", key, lambda: quoted(find_targets(opened.model, asked, Scope()), settings)
            )
    except SaniLensError as error:
        show_error(error)
        return
    if st.session_state.get("plan-quoted") != key:
        st.session_state["plan-quoted"] = key
        st.rerun()  # the button has done its work
    random = random_like(opened.model.sites, units, seed)
    forgotten, by_chance = predicted(quote, units), predicted(quote, random)
    kpi(
        (
            "predicted to forget",
            f"{forgotten:.2f} nats",
            f"of {quote.loss:.2f} a sensitive token, at a harm of {_HARM:g} nats a token",
        ),
        (
            "as many random units",
            f"{by_chance:.2f} nats" if len(random) == len(units) else "–",
            "the same prediction" if len(random) == len(units) else "too few units are free",
        ),
    )
    st.caption("A prediction, before any weight changes. What it costs is measured by running.")


def _settings(opened: Case, settings: Rewriting) -> None:
    teachers = [name for name in TEACHERS if name != "base" or opened.base is not None]
    st.session_state["plan-rewrite-teacher"] = settings.teacher
    st.session_state["plan-rewrite-budget"] = settings.budget
    st.session_state["plan-rewrite-steps"] = settings.most_steps
    left, middle, right = st.columns([2, 1, 1])
    left.selectbox(
        "In a secret's place stands",
        teachers,
        format_func=lambda name: _TEACHERS[name],
        key="plan-rewrite-teacher",
        on_change=_keep,
    )
    middle.number_input(
        "Harm allowed",
        1e-5,
        10.0,
        format="%.4f",
        step=1e-3,
        key="plan-rewrite-budget",
        on_change=_keep,
        help=meaning("harm"),
    )
    right.number_input(
        "Most steps", 1, 1000, key="plan-rewrite-steps", on_change=_keep,
        help="It ends before where nothing that is asked is said any more.",
    )  # fmt: skip


def _switch() -> None:
    state.set_rewriting(Rewriting() if st.session_state["plan-rewrite"] else None)


def _keep() -> None:
    now = state.rewriting() or Rewriting()
    state.set_rewriting(
        now.model_copy(
            update={
                "teacher": st.session_state["plan-rewrite-teacher"],
                "budget": st.session_state["plan-rewrite-budget"],
                "most_steps": st.session_state["plan-rewrite-steps"],
            }
        )
    )
