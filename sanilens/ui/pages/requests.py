"""Requests: look somebody up, have them forgotten, and see what became of every request."""

import streamlit as st

from sanilens.ui import state
from sanilens.ui.compare.history import requests_card
from sanilens.ui.frame import case_bar, opened_case
from sanilens.ui.layout import page_header
from sanilens.ui.plan.ready import getting_ready
from sanilens.ui.requests.person import lookup_card, person_card

_SUBTITLE = (
    "One person asks to be forgotten: look them up, see what is said, and have it taken out."
)


def page() -> None:
    """Draw the page."""
    if (opened := opened_case("Requests", _SUBTITLE, "Nobody can be looked up yet.")) is None:
        return
    case_bar(opened, ["sanilens plan --help", "sanilens undo --help"])
    page_header("Requests", _SUBTITLE)
    lookup_card(opened)
    subject = state.asking()
    if subject is not None and any(r.subject == subject for r in opened.corpus.records):
        person_card(opened, subject)
    getting_ready(opened)
    if not requests_card(opened, here=True):
        st.caption("No request about these records has been made in this workspace.")
