"""Whose details the plan is to take out: everyone's, or those of the subjects who asked."""

import streamlit as st

from sanilens.runs.requests import asked_before
from sanilens.ui import state
from sanilens.ui.layout import card
from sanilens.ui.opened import Opened
from sanilens.ui.said import hidden, identifiers

_EVERYONE, _SOME = "Everyone", "Chosen subjects"


def whose_card(opened: Opened) -> None:
    """Draw the choice; each change is kept at once."""
    names = subjects_with_spans(opened)
    st.session_state.setdefault("plan-whose", _SOME if state.subjects() else _EVERYONE)
    some = st.session_state["plan-whose"] == _SOME
    with card("Whose details", "everyone else's are to stay" if some else "every sensitive span"):
        who = st.segmented_control(
            "Whose details",
            [_EVERYONE, _SOME],
            required=True,
            key="plan-whose",
            on_change=_switch,
            label_visibility="collapsed",
        )
        if who == _SOME:
            st.session_state["plan-subjects"] = [n for n in state.subjects() if n in names]
            st.multiselect(
                "Subjects",
                list(names),
                key="plan-subjects",
                format_func=names.__getitem__,
                placeholder="Who asked to be forgotten",
                on_change=_keep,
                label_visibility="collapsed",
            )
        if words := _words(opened):
            st.caption(words)


def subjects_with_spans(opened: Opened) -> dict[str, str]:
    """Subjects of whom something is sensitive, and how each is written here.

    An id that itself holds an identifier of the corpus is masked; its place in the list tells it
    from others that then look alike.
    """
    known = identifiers(opened)
    shown: dict[str, str] = {}
    every = sorted({record.subject for record in opened.corpus.records if record.spans})
    for number, name in enumerate(every, 1):
        masked = hidden(name, known)
        shown[name] = name if masked == name else f"{masked} ({number})"
    return shown


def _words(opened: Opened) -> str:
    chosen = state.subjects()
    before = len(asked_before(opened.ref.model))
    own = sum(record.subject in chosen for record in opened.corpus.records)
    words: list[str] = []
    if chosen:
        words.append(
            f"{own:,} of {len(opened.corpus.records):,} records. Compare tells them and all "
            "others apart."
        )
    elif st.session_state["plan-whose"] == _SOME:
        words.append("Nobody is chosen, so the plan is for everyone.")
    if before:
        words.append(
            f"This model is the result of earlier requests: {before:,} "
            f"subject{'s' * (before != 1)} deleted. In a plan for chosen subjects their records "
            "are not read again, only measured."
        )
    return " ".join(words)


def _switch() -> None:
    if st.session_state["plan-whose"] == _EVERYONE:
        state.set_subjects(())


def _keep() -> None:
    state.set_subjects(tuple(st.session_state["plan-subjects"]))
