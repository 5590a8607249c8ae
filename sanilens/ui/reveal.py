"""Showing identifiers: asked for, confirmed, and recorded.

Each reveal is a line of `reveals.jsonl` in the workspace, chained like a run's events: when, in
which session, and the fingerprints of the model and the corpus. No text, no user name.
"""

import fcntl
import os
from functools import partial

import streamlit as st

from sanilens.runs.events import EventLog
from sanilens.runs.workspace import home
from sanilens.ui import state
from sanilens.ui.opened import Opened


def record_reveal(opened: Opened) -> None:
    """Write down that this session sees the identifiers, then show them."""
    path = home() / "reveals.jsonl"
    # Sessions, and other servers of this workspace, append to one chain one after the other.
    with open(path, "ab", opener=partial(os.open, mode=0o600)) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        EventLog(path).append(
            "revealed",
            who=state.session_id(),
            model=opened.subject.fingerprint,
            corpus=opened.corpus_fingerprint,
        )
    state.set_revealed(True)


def reveal_button(opened: Opened) -> None:
    """`Reveal…`, which asks first; once revealed, `Mask again`."""
    if state.revealed():
        st.button("Mask again", key="mask", on_click=state.set_revealed, args=(False,))
    elif st.button("Reveal…", key="reveal"):
        _ask(opened)


@st.dialog("Show identifiers?")
def _ask(opened: Opened) -> None:
    st.markdown(
        "The identifiers of this case will stand on this screen, in this session only. "
        "That you asked for it is recorded in the workspace: the time, the case's fingerprints "
        "and a random name of this session."
    )
    if st.button(
        "Reveal identifiers",
        key="reveal-confirm",
        type="primary",
        on_click=record_reveal,
        args=(opened,),
    ):
        st.rerun()  # of the whole page, which closes the dialog
