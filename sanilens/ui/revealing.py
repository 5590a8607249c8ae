"""Revealing a record's identifiers: asked for with a reason, logged, and over after a while.

The log is a chain of its owner's alone (mode 0600): time, user, session, record and reason, and no
identifier.
"""

import fcntl
import os
from functools import partial
from pathlib import Path

import streamlit as st

from sanilens.case import Case
from sanilens.locked import locked, refuse_if_locked
from sanilens.runs.events import EventLog
from sanilens.runs.record import user_name
from sanilens.runs.workspace import home
from sanilens.ui import state
from sanilens.ui.extracted import hidden, identifiers

REASONS = (
    "To see what the model says of this person",
    "To answer a person's request",
    "To correct what is marked",
    "To check a finding for a report",
)
_EVERY = 5  # seconds between looks at the clock while something is shown


def reveals_file() -> Path:
    """The log of reveals, of the whole workspace."""
    return home() / "reveals.jsonl"


def record_reveal(opened: Case, record: str, reason: str, *, term: bool = False) -> None:
    """Record that this session reveals a record's identifiers, then reveal them.

    `term`: it is no record's id, but an indirect term, which is not written down.
    """
    refuse_if_locked()
    path = reveals_file()
    # Other sessions and servers of this workspace append to the same chain.
    with open(path, "ab", opener=partial(os.open, mode=0o600)) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        EventLog(path).append(
            "revealed",
            who=state.session_id(),
            user=user_name(),
            record="an indirect term" if term else hidden(record, identifiers(opened)),
            reason=reason,
            model=opened.model.fingerprint,
            corpus=opened.corpus_fingerprint,
        )
    state.reveal(record)


def reveal_button(opened: Case) -> None:
    """Draw `Reveal…`, which asks first; while something is shown, `Mask again`.

    A locked app has neither.
    """
    if locked():
        return
    if not state.reveals():
        if st.button("Reveal…", key="reveal"):
            _ask(opened)
        return
    st.button("Mask again", key="mask", on_click=state.mask_all)
    st.fragment(_watch_the_clock, run_every=_EVERY)()


def _watch_the_clock() -> None:
    """Draw the page anew, masked, once the time is over."""
    if not state.reveals():
        st.rerun()


@st.dialog("Show a record's identifiers?")
def _ask(opened: Case) -> None:
    known = identifiers(opened)
    st.markdown(
        f"This session will show them for {state.REVEALED_FOR / 60:.0f} minutes. The workspace "
        "records the time, your user name, the record and the reason; *Record* lists them."
    )
    ids = [record.id for record in opened.corpus.records if record.spans]
    chosen = state.selection().record
    record = st.selectbox(
        "Record",
        ids,
        index=ids.index(chosen) if chosen in ids else 0,
        format_func=lambda name: hidden(name, known),
        key="reveal-record",
    )
    reason = st.selectbox(
        "Reason", REASONS, index=None, placeholder="Why do you need to see it?", key="reveal-reason"
    )
    if st.button(
        "Reveal identifiers",
        key="reveal-confirm",
        type="primary",
        on_click=_confirmed,
        args=(opened,),
    ):
        if reason is None or record is None:
            st.warning("Choose a reason first: it is recorded.")
        else:
            st.rerun()  # of the whole page, which closes the dialog


def _confirmed(opened: Case) -> None:
    record, reason = (st.session_state[key] for key in ("reveal-record", "reveal-reason"))
    if record is not None and reason is not None:
        record_reveal(opened, record, reason)
