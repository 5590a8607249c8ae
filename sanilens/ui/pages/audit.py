"""Audit: how much of the sensitive text can be extracted from the model."""

from collections.abc import Callable

import streamlit as st

from sanilens.audit.summary import group_frame, groups, memory, rate_row, verdict_frame
from sanilens.case import Case
from sanilens.ui import state
from sanilens.ui.audit.measuring import Findings, attacker, exposure_panel, findings, settings_form
from sanilens.ui.audit.results import rate_picture, rate_table, record_table, sentence, tiles
from sanilens.ui.commands import audit_command
from sanilens.ui.current_case import was_damaged
from sanilens.ui.frame import case_bar, opened_case
from sanilens.ui.layout import card, next_step, page_header, pair
from sanilens.ui.markup import plain
from sanilens.ui.rates import forest_height

_WHAT = "How much of the sensitive text can be extracted from the model."


def page() -> None:
    """Draw the page."""
    if (opened := opened_case("Audit", _WHAT, "Nothing to audit yet.")) is None:
        return
    settings, tries = state.audit_settings(), state.tries()
    command = audit_command(opened.sources, settings, tries.count, tries.probability)
    case_bar(opened, [command])
    head, body = st.container(), st.container()
    draw = found = None
    for found in findings(opened, settings):
        if draw is None:
            with head:
                page_header("Audit", sentence(found, opened.model.kind))
                if opened.opening and opened.opening.changed:
                    st.caption(plain(opened.opening.sentence))
            with body:
                draw = _figures(opened, len(groups(found.subject)))
        draw(found)
    assert found is not None
    if was_damaged():
        st.caption("An audit kept from an earlier session was damaged. It was measured anew.")
    _rest(opened, found)
    next_step("Next: find where it is stored. Open a record, or start with the worst.", "inspect")
    said = rate_row(memory(found.subject)).hits
    if state.extracted() != said:
        state.set_extracted(said)
        st.rerun()  # the sidebar, drawn before this page, shows the number too


def _figures(opened: Case, lines: int) -> Callable[[Findings], None]:
    """Make the places of the four numbers and of the rates by label; returns what fills them."""
    top = st.empty()
    with card("Extracted, by kind and label", "each dot lies on its 95 % interval"):
        left, right = pair("audit-rates", (1, 1.1))
        picture, figures = left.empty(), right.empty()
    picture.skeleton(height=forest_height(lines, legend=bool(opened.reference)))
    has = {"has_reference": bool(opened.reference), "has_control": bool(opened.corpus.control)}
    drawn = False

    def draw(found: Findings) -> None:
        nonlocal drawn
        with top.container():
            tiles(found, **has)
        rates = groups(found.subject, found.control, found.reference)
        with figures.container():
            rate_table(rates, **has)
        if not drawn and (found.reference or not opened.reference):
            drawn = True
            with picture.container():
                rate_picture(rates)

    return draw


def _rest(opened: Case, found: Findings) -> None:
    """Draw what is shown once everything is measured: records, attacker, settings, downloads."""
    left, right = pair("audit", (1, 1))
    with left, card("Records, leakiest first", "click one to open it on Inspect"):
        record_table(found.subject, key="records-by-leak", most=13)
    with right:
        with card("If an attacker samples"):
            attacker(found)
        with card("Exposure", "12 spans, each against 64 others of its form"):
            exposure_panel(opened)
        with st.expander("Audit settings"):
            settings_form()
        _downloads(found)


def _downloads(found: Findings) -> None:
    with st.container(horizontal=True):
        tables = {
            "by label": group_frame(groups(found.subject, found.control, found.reference)),
            "span by span": verdict_frame(found.subject),
        }
        for name, frame in tables.items():
            file = f"audit-{name.replace(' ', '-')}.csv"
            data = frame.to_csv(index=False)
            st.download_button(f"Download {name}", data, file, "text/csv", on_click="ignore")
