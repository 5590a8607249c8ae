"""Case: the model, the text it was trained on, and what must not leak."""

import streamlit as st

from sanilens.errors import SaniLensError
from sanilens.ui import state
from sanilens.ui.case.opening import opening
from sanilens.ui.commands import audit_command
from sanilens.ui.layout import next_step, page_header, show_error
from sanilens.ui.markup import plain

_WHAT = "The model, the text it was trained on, and what must not leak."


def page() -> None:
    """Draw the page: the open case, or the ways to open one."""
    if (ref := state.case()) is None:
        _choose()
        return
    # Imported here: they load torch, and the first page should appear at once.
    from sanilens.ui import drafts
    from sanilens.ui.case.indirect import indirect_terms
    from sanilens.ui.case.spans import correct_spans
    from sanilens.ui.case.summary import summary
    from sanilens.ui.current_case import open_case
    from sanilens.ui.frame import case_bar
    from sanilens.ui.run.naming import examined

    drafts.restore(ref)
    try:
        opened = open_case(ref, st.spinner)
    except SaniLensError as error:
        _choose(error)
        return
    settings, tries = state.audit_settings(), state.tries()
    case_bar(opened, [audit_command(opened.sources, settings, tries.count, tries.probability)])
    records = len(opened.corpus.records)
    page_header(
        "Case", f"**{plain(examined(opened))}** and the {records:,} records it was trained on."
    )
    summary(opened)
    with st.expander("Find indirect identifiers"):
        indirect_terms(opened)
    with st.expander("Correct spans by hand"):
        correct_spans(opened)
    with st.expander("Open another case"):
        opening()
    next_step("Next: see how much of it can be extracted.", "audit")


def _choose(error: SaniLensError | None = None) -> None:
    """Draw the ways to open a case; `error` says why the last one is not open."""
    page_header("Case", f"**See it, erase it, show it.** {_WHAT}")
    if error:
        show_error(error)
    opening()
