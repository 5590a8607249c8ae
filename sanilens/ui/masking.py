"""Masking identifiers, and revealing them on request."""

import fcntl
import os
import unicodedata
from functools import partial

import streamlit as st

from sanilens.case import Case
from sanilens.corpus.records import Record
from sanilens.runs.events import EventLog
from sanilens.runs.workspace import home
from sanilens.ui import state

MASK = "▒"


def _kept(char: str) -> bool:
    """Whether a character stays: spaces, line ends and punctuation do."""
    return char.isspace() or unicodedata.category(char).startswith("P")


def mask(text: str) -> str:
    """Mask all of a text, keeping its length: `(204) 771` becomes `(▒▒▒) ▒▒▒`."""
    return "".join(char if _kept(char) else MASK for char in text)


SLOT = MASK * 6
"""What a model says in a secret's place, until revealed: of one length, whatever it says."""


def mask_record(record: Record, revealed: bool = False) -> str:
    """A record's text with its spans masked, or as it is if `revealed`.

    The length stays, so a token is the same slice of the result.
    """
    if revealed:
        return record.text
    parts: list[str] = []
    end = 0
    for span in record.spans:
        parts += record.text[end : span.start], mask(record.value(span))
        end = span.end
    return "".join([*parts, record.text[end:]])


def record_reveal(opened: Case) -> None:
    """Record that this session reveals the identifiers, then reveal them."""
    path = home() / "reveals.jsonl"
    # Other sessions and servers of this workspace append to the same chain.
    with open(path, "ab", opener=partial(os.open, mode=0o600)) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        EventLog(path).append(
            "revealed",
            who=state.session_id(),
            model=opened.model.fingerprint,
            corpus=opened.corpus_fingerprint,
        )
    state.set_revealed(True)


def reveal_button(opened: Case) -> None:
    """Draw `Reveal…`, which asks first; once revealed, `Mask again`."""
    if state.revealed():
        st.button("Mask again", key="mask", on_click=state.set_revealed, args=(False,))
    elif st.button("Reveal…", key="reveal"):
        _ask(opened)


@st.dialog("Show identifiers?")
def _ask(opened: Case) -> None:
    st.markdown(
        "This session will show the identifiers of this case. The workspace records that you "
        "asked: the time, the case's fingerprints and a random name for this session."
    )
    if st.button(
        "Reveal identifiers",
        key="reveal-confirm",
        type="primary",
        on_click=record_reveal,
        args=(opened,),
    ):
        st.rerun()  # of the whole page, which closes the dialog
