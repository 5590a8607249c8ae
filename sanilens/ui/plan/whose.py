"""Whom the plan is for. Choosing somebody makes a whole plan, unless one was built by hand."""

import streamlit as st

from sanilens.case import Case
from sanilens.runs.workspace import asked_before
from sanilens.ui import state
from sanilens.ui.extracted import hidden, identifiers
from sanilens.ui.layout import card


def whose_card(opened: Case) -> None:
    """Draw the choice; every change is kept at once."""
    names = subjects_with_spans(opened)
    chosen = [n for n in state.subjects() if n in names]
    with card(
        "Whose data to erase", "everyone else's stays in the model" if chosen else "everyone's"
    ):
        st.session_state["plan-subjects"] = chosen
        st.multiselect(
            "Subjects",
            list(names),
            key="plan-subjects",
            format_func=names.__getitem__,
            placeholder="Everyone. Type or choose who asked to be forgotten",
            on_change=_keep,
            label_visibility="collapsed",
        )
        if words := _words(opened):
            st.caption(words)


def subjects_with_spans(opened: Case) -> dict[str, str]:
    """Subjects with sensitive spans, and how each is written here.

    An id that holds an identifier of the corpus is masked; a number then keeps it apart from
    others that look the same.
    """
    known = identifiers(opened)
    shown: dict[str, str] = {}
    every = sorted({record.subject for record in opened.corpus.records if record.spans})
    for number, name in enumerate(every, 1):
        masked = hidden(name, known)
        shown[name] = name if masked == name else f"{masked} ({number})"
    return shown


def _words(opened: Case) -> str:
    chosen = state.subjects()
    before = len(asked_before(opened.sources.model))
    own = sum(record.subject in chosen for record in opened.corpus.records)
    words: list[str] = []
    if chosen:
        words.append(f"{own:,} of {len(opened.corpus.records):,} records.")
        words.append("Compare shows them and everyone else separately.")
    if before:
        words.append(
            f"This model is the result of earlier requests: {state.counted(before)} deleted. In a "
            f"plan for chosen {state.nouns()}, their records are measured but not used."
        )
    return " ".join(words)


def _keep() -> None:
    """Keep the choice; what is suggested follows it."""
    state.set_subjects(tuple(st.session_state["plan-subjects"]))
