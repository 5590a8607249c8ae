"""The requests so far, a row each; and how one of them is undone."""

import shutil
import time
from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from sanilens.audit.continuations import Identifiers
from sanilens.case import Case
from sanilens.errors import SaniLensError
from sanilens.evidence.build import build_evidence
from sanilens.evidence.html import letter_html, report_html
from sanilens.runs.comparison import load_comparison
from sanilens.runs.folder import RunFolder
from sanilens.runs.former import undo, why_not
from sanilens.runs.jobs import status
from sanilens.runs.judgement import STATES
from sanilens.runs.log import read_ledger, recent_events
from sanilens.runs.verdict import verdict
from sanilens.runs.workspace import known_runs, restored_folder
from sanilens.ui import state
from sanilens.ui.compare.requests import case_of
from sanilens.ui.extracted import hidden, identifiers
from sanilens.ui.layout import card, show_error
from sanilens.ui.markup import plain
from sanilens.ui.navigation import page
from sanilens.ui.results import results
from sanilens.ui.tables import rows_high, tick_clicked
from sanilens.unlearn.plan import Plan

_SHOWN, _NAMED = 30, 3


def requests_card(opened: Case, *, here: bool = False) -> bool:
    """Draw every request about the open case's records, newest first; a click shows one.

    Args:
        opened: the open case.
        here: whether the chosen one can be gone on with in this card.

    Returns:
        whether there is any.
    """
    found = [(run, row) for run in known_runs() if (row := _row(run, opened))][:_SHOWN]
    if not found:
        return False
    runs, rows = zip(*found, strict=True)
    with card("Requests", f"{len(rows)} about these records, newest first"):
        tick_clicked("compare-requests")
        event = st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            on_select="rerun",
            selection_mode=["single-row", "single-cell"],
            key="compare-requests",
            height=rows_high(min(7, len(rows))),
            # What came of it first: a narrow window cuts off what comes last.
            column_order=(
                "who",
                "said before",
                "said now",
                "verdict",
                "state",
                EFFECT,
                "when",
                "plan",
            ),
            column_config={
                EFFECT: st.column_config.TextColumn(
                    help="Spans of everyone else that can no longer be extracted, and new ones."
                ),
                "state": st.column_config.TextColumn(
                    help="Stands: its model is there. Undone: the former model was taken back."
                ),
            },
        )
        if words := _so_far([run for run, row in found if row["state"] == "stands"]):
            st.caption(words)
        picked = tuple(event["selection"]["rows"])
        if here:
            places = [run.root.name for run in runs]
            open_one = [places.index(name)] if (name := state.run()) in places else []
            for row in [*picked, *open_one][:1]:
                _chosen(runs[row], rows[row])
            if not picked and not open_one:
                st.caption("Click a request for its result, certificate and letter, or to undo it.")
    if state.is_new("compare-requests", picked) and picked and picked[0] < len(runs):
        state.set_run(runs[picked[0]].root.name)
        st.rerun()
    return True


def _chosen(run: RunFolder, row: dict[str, str]) -> None:
    """What can be done about one request."""
    done, subjects = row["state"] in ("stands", "undone"), run.plan().subjects
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{plain(row['who'])}**", width="content")
        if st.button("See the result" if done else "See the run", key="request-see"):
            st.switch_page(page("compare" if done else "run"))
        if done:
            _paper("Certificate", "certificate", lambda: report_html(build_evidence(run)))
        if done and len(subjects) == 1:
            _paper("Letter", "letter", lambda: letter_html(build_evidence(run), subjects[0]))
        if done and st.button("More papers…", key="request-report"):
            state.set_run(run.root.name)
            st.switch_page(page("report"))
        if row["state"] == "stands":
            undo_request(run, run.plan())


def _paper(label: str, name: str, made: Callable[[], str]) -> None:
    """A page to read, print and sign; it is made when it is asked for."""
    st.download_button(label, lambda: made().encode(), f"{name}.html", "text/html",
                       key=f"request-{name}", on_click="ignore")  # fmt: skip


def _so_far(runs: Sequence[RunFolder]) -> str:
    """What all requests that stand cost the rest of the model, each beside the model before it."""
    if len(runs) < 2:
        return ""
    pairs = [load_comparison(run).of("others").paired("before", "after") for run in runs]
    lost, new = sum(p.only_first for p in pairs), sum(p.only_second for p in pairs)
    return (
        f"The {len(runs)} requests that stand, together, on the rest of the model: {lost:,} spans "
        f"lost, {new:,} new, each counted beside the model before it."
    )


def who(names: Sequence[str], known: Identifiers) -> str:
    """`p-005`, or the first few of many; masked where an id holds an identifier."""
    shown = [hidden(name, known) for name in names[:_NAMED]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def _row(run: RunFolder, opened: Case) -> dict[str, str] | None:
    """A request's row, also while it waits; None for other runs."""
    try:
        plan, events = run.plan(), recent_events(run)
        if not plan.subjects or plan.corpus.sha256 != opened.corpus_fingerprint:
            return None
        ledger = read_ledger(events)
        made = events[-1]["time"] if events else run.plan_file.stat().st_mtime
        row = {
            "who": who(plan.subjects, identifiers(opened)),
            "state": status(run, events),
            "when": time.strftime("%Y-%m-%d %H:%M", time.localtime(made)),
        }
        if not ledger.finished:
            return row | {**_UNKNOWN, "plan": plan.sha256[:8]}
        row["state"] = "undone" if ledger.undone else "stands"
        key = ("request-figures", run.root.name, events[-1]["hash"])
        return row | results().get(key, lambda: _figures(run)) | {"plan": plan.sha256[:8]}
    except SaniLensError:
        return None  # Run lists it as damaged


EFFECT = "side effect on the rest of the model"
_UNKNOWN = {"said before": "–", "said now": "–", "verdict": "queued", EFFECT: "–"}


def _figures(run: RunFolder) -> dict[str, str]:
    found = load_comparison(run)
    own, others = found.of("asked"), found.of("others").paired("before", "after")
    before, after = own.rate("before"), own.rate("after")
    if not others.n:
        harm = "not measured"
    else:
        harm = f"{others.only_first:,} lost, {others.only_second:,} new, of {others.n:,}"
    return {
        "said before": f"{before.hits:,} of {before.n:,}" if before.n else "not measured",
        "said now": f"{after.hits:,} of {after.n:,}" if after.n else "not measured",
        "verdict": STATES[verdict(own).state].lower(),
        EFFECT: harm,
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
