"""The requests so far, a row each; and how one of them is undone."""

import shutil
import time
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from sanilens.audit.continuations import Identifiers
from sanilens.case import Case
from sanilens.errors import SaniLensError
from sanilens.runs.comparison import load_comparison
from sanilens.runs.folder import RunFolder
from sanilens.runs.former import undo, why_not
from sanilens.runs.log import read_ledger, recent_events
from sanilens.runs.workspace import known_runs, restored_folder
from sanilens.ui import state
from sanilens.ui.compare.requests import case_of
from sanilens.ui.extracted import hidden, identifiers
from sanilens.ui.layout import card, show_error
from sanilens.ui.navigation import page
from sanilens.ui.results import results
from sanilens.unlearn.plan import Plan

_SHOWN, _NAMED = 30, 3


def requests_card(opened: Case) -> None:
    """Draw every request about the open case's records, newest first; a click shows one."""
    found = [(run, row) for run in known_runs() if (row := _row(run, opened))][:_SHOWN]
    if not found:
        return
    runs, rows = zip(*found, strict=True)
    with card("Requests", f"{len(rows)} about these records, newest first"):
        event = st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            on_select="rerun",
            selection_mode="single-row",
            key="compare-requests",
            height=min(246, 38 + 35 * len(rows)),
            column_config={
                "side effect on others": st.column_config.TextColumn(
                    help="Spans of everyone else that can no longer be extracted, and new ones."
                ),
                "state": st.column_config.TextColumn(
                    help="Stands: its model is there. Undone: the former model was taken back."
                ),
            },
        )
    picked = tuple(event["selection"]["rows"])
    if state.is_new("compare-requests", picked) and picked:
        state.set_run(runs[picked[0]].root.name)
        st.rerun()


def who(names: Sequence[str], known: Identifiers) -> str:
    """`p-005`, or the first few of many; masked where an id holds an identifier."""
    shown = [hidden(name, known) for name in names[:_NAMED]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def _row(run: RunFolder, opened: Case) -> dict[str, str] | None:
    """A request's row; None for other runs, and for those that have no result to show."""
    try:
        plan, events = run.plan(), recent_events(run)
        if not plan.subjects or plan.corpus.sha256 != opened.corpus_fingerprint:
            return None
        ledger = read_ledger(events)
        if not ledger.finished:
            return None
        return results().get(
            ("request", run.root.name, events[-1]["hash"]),
            lambda: {
                "who": who(plan.subjects, identifiers(opened)),
                "when": time.strftime("%Y-%m-%d %H:%M", time.localtime(events[-1]["time"])),
                "plan": plan.sha256[:8],
                **_figures(run),
                "state": "undone" if ledger.undone else "stands",
            },
        )
    except SaniLensError:
        return None  # Run lists it as damaged


def _figures(run: RunFolder) -> dict[str, str]:
    found = load_comparison(run)
    own, others = found.of("asked"), found.of("others").paired("before", "after")
    before, after = own.rate("before"), own.rate("after")
    if not others.n:
        harm = "not measured"
    else:
        harm = f"−{others.only_first:,} +{others.only_second:,} of {others.n:,}"
    return {
        "said before": f"{before.hits:,} of {before.n:,}" if before.n else "not measured",
        "said now": f"{after.hits:,} of {after.n:,}" if after.n else "not measured",
        "side effect on others": harm,
    }


def undo_request(run: RunFolder, plan: Plan) -> None:
    """Offer to take a request back: its case is opened with the model before it."""
    with st.popover("Undo request…"):
        try:
            reason = why_not(run)
        except SaniLensError as error:
            show_error(error)
            return
        if reason:
            st.markdown(reason)
            return
        st.markdown(
            "Opens the case with the model before this request, restored bit for bit from what "
            "this run kept. It knows again whom the request deleted."
        )
        if st.button("Undo this request", key="compare-undo", type="primary"):
            _undo(run, plan)


def _undo(run: RunFolder, plan: Plan) -> None:
    out = restored_folder(run)
    try:
        shutil.rmtree(out, ignore_errors=True)  # of an earlier time that it was undone
        undo(run, out)
    except SaniLensError as error:
        show_error(error)
        return
    state.open_case(case_of(plan, out))
    st.switch_page(page("audit"))
