"""Compare: before and after, beside the controls and a model that never saw the text."""

from functools import partial

import streamlit as st

from sanilens.case import Case
from sanilens.errors import SaniLensError
from sanilens.runs.comparison import load_comparison
from sanilens.runs.folder import RunFolder
from sanilens.runs.integrity import NOT_VERIFIED
from sanilens.runs.log import read_ledger, recent_events
from sanilens.runs.workspace import find_run
from sanilens.ui import state
from sanilens.ui.commands import compare_command
from sanilens.ui.compare.gates import gates_card
from sanilens.ui.compare.history import requests_card
from sanilens.ui.compare.outcome import downloads, further_card, outcome, suppression
from sanilens.ui.compare.requests import whose_card
from sanilens.ui.compare.words import words_card
from sanilens.ui.extracted import hidden, identifiers
from sanilens.ui.frame import case_bar, opened_case
from sanilens.ui.layout import empty_state, next_step, page_header, pair, show_error
from sanilens.ui.markup import plain
from sanilens.ui.plan.request import summary
from sanilens.ui.run.live import of_case
from sanilens.ui.run.naming import called
from sanilens.unlearn.plan import Plan
from sanilens.unlearn.stronger import Stronger, stronger

_SUBTITLE = "Before and after, beside the controls and a model that never saw the text."


def page() -> None:
    """Draw the page."""
    if (opened := opened_case("Compare", _SUBTITLE, "Nothing to compare yet.")) is None:
        return
    run = find_run(state.run() or "")
    command = [compare_command(run.root)] if run else ["sanilens compare --help"]
    # Before the bar writes the address anew: a reload, or a link, comes back to this record.
    named = st.query_params.get("record")
    case_bar(opened, command, selection=True)  # the record whose words are compared
    if run is None:
        page_header("Compare", _SUBTITLE)
        empty_state(
            "No run is chosen. Run a plan, or pick a run on the page Run.", "Go to Run", "run"
        )
        requests_card(opened)
        return
    try:
        _comparison(opened, run, named)
    except SaniLensError as error:
        page_header("Compare", _SUBTITLE)
        show_error(error)
        empty_state("Have a look at the run.", "Go to Run", "run")


def _comparison(opened: Case, run: RunFolder, named: str | None) -> None:
    plan, found = run.plan(), load_comparison(run)
    n = found.rate("before").n
    measured = f"Everything below was measured on the same {n:,} spans."
    if found.groups:
        own = found.of("asked").rate("before").n
        measured = f"Measured on {n:,} spans; the figures are about the {own:,} asked for."
    known = identifiers(opened)
    name, whole = plain(called(run, known)), f"plan `{plan.sha256[:8]}`: {summary(plan)}"
    page_header("Compare", f"**{name}** · {whole}, seed {plan.seed}. {measured}")
    if not found.verified:
        st.caption(NOT_VERIFIED)
    if read_ledger(recent_events(run)).undone:
        st.info("This request was undone. The figures are those of the model that it had made.")
    suppression(run)
    outcome(found, partial(_stronger, run, opened, plan), lambda name: hidden(name, known))
    if found.groups and found.further:
        left, right = pair("rest", (1.75, 1))
        with left:
            whose_card(found)
        with right:
            further_card(found)
    else:
        whose_card(found)
        further_card(found)
    gates_card(run)
    if of_case(run, opened):
        words_card(opened, run, plan, found, named)
    else:
        empty_state(
            "This run is about another case, or this one has changed since. Open its case to see "
            "the words themselves.",
            key="words",
        )
    downloads(run, found)
    next_step("Next: hand over what this run shows.", "report")
    requests_card(opened)


def _stronger(run: RunFolder, opened: Case, plan: Plan, silent: bool) -> Stronger | None:
    """The next stronger plan for the open case; None where the run is about another."""
    if not of_case(run, opened) or opened.model.kind != "causal":
        return None
    return stronger(plan, opened.base, base_knows=opened.base_knows, silent=silent)
