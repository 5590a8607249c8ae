"""What stands in the place of an identifier until it is revealed, and the revealing."""

import fcntl
import os
import unicodedata
from functools import partial

import streamlit as st

from sanilens.corpus.records import Record
from sanilens.runs.events import EventLog
from sanilens.runs.workspace import home
from sanilens.ui import state
from sanilens.ui.opened import Opened

MASK = "▒"


def _kept(char: str) -> bool:
    """Spaces, line ends and punctuation stay; letters, digits, marks and symbols go."""
    return char.isspace() or unicodedata.category(char).startswith("P")


def mask(text: str) -> str:
    """Mask all of a text: `(204) 771` becomes `(▒▒▒) ▒▒▒`. The length stays."""
    return "".join(char if _kept(char) else MASK for char in text)


def mask_record(record: Record, revealed: bool = False) -> str:
    """A record's text with its spans masked, or as it is when `revealed`.

    The length stays, so the text of a token is the same slice of the result.
    """
    if revealed:
        return record.text
    parts: list[str] = []
    end = 0
    for span in record.spans:
        parts += record.text[end : span.start], mask(record.value(span))
        end = span.end
    return "".join([*parts, record.text[end:]])


def record_reveal(opened: Opened) -> None:
    """Write down that this session sees the identifiers, then show them."""
    path = home() / "reveals.jsonl"
    # Sessions, and other servers of this workspace, append to one chain one after the other.
    with open(path, "ab", opener=partial(os.open, mode=0o600)) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        EventLog(path).append(
            "revealed",
            who=state.session_id(),
            model=opened.model.fingerprint,
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
