"""Localisers: which of them can be believed on this model, measured on memories that are known."""

import shlex

import streamlit as st

from sanilens.inspect.locate.deletion_curve import DeletionResult
from sanilens.inspect.locate.recall import InjResult
from sanilens.ui.frame import case_bar, opened_case
from sanilens.ui.job import job_panel
from sanilens.ui.layout import card, empty_state, kpi, next_step, page_header
from sanilens.ui.localisers.measuring import (
    arguments,
    curve_chart,
    curve_frame,
    measured,
    measuring_job,
    recall_table,
    tests_card,
)
from sanilens.ui.opened import Opened

_WHAT = (
    "Which way of finding units can be believed on this model: each is asked for neurons that are "
    "known to carry a memory, and for neurons whose deletion silences the corpus."
)
_HOW_LONG = (
    "Injects memories into copies of the base model, and deletes units of the examined one; "
    "about 40 minutes on the bundled case. It runs on when this page is closed."
)


def page() -> None:
    """Draw the page."""
    if (opened := opened_case()) is None:
        page_header("Localisers", _WHAT)
        empty_state("Nothing to measure yet: open a case first.", "Open a case", "case")
        return
    case_bar(opened, [shlex.join(["sanilens", *arguments(opened)])])
    page_header("Localisers", _WHAT)
    job, found = measuring_job(opened), measured(opened)
    label = "Measure again" if found else "Measure the localisers"
    if found and job.status() != "running":
        _results(opened, *found)
        with st.expander("Measure again"):
            job_panel(job, arguments(opened), label, _HOW_LONG, key="localisers")
    else:
        with card("Not measured on this model yet"):
            job_panel(job, arguments(opened), label, _HOW_LONG, key="localisers")
        tests_card()
    next_step("Next: what each unit does, by the localiser that you trust.", "inspect")


def _why(inj: InjResult, deletion: DeletionResult | None) -> str:
    others = [name for name in inj.candidates if name != inj.recommended]
    if deletion and others:
        return f"alike at injections: {', '.join(others)}; better at deletion"
    return "best in its worst case, on the development injections"


def _results(opened: Opened, inj: InjResult, deletion: DeletionResult | None) -> None:
    row, percent = inj.localisers[inj.recommended], f"{100 * inj.share:.0f} %"
    best = row.least
    masks = [n for n in ("hard-concrete", "slimming") if n in inj.localisers]
    mask = max(masks, key=lambda n: inj.localisers[n].least.recall)
    masked = inj.localisers[mask].least.recall
    tiles = [
        ("recommended", inj.recommended, _why(inj, deletion)),
        (
            f"recall at {percent} of the neurons, worst case",
            f"{best.recall:.2f}",
            f"{row.worst}: 95 % interval {best.low:.2f} to {best.high:.2f}, n = {best.n}",
        ),
        (
            f"against the better mask, {mask}",
            f"{best.recall / masked:.1f} ×" if masked else "–",
            f"recall {masked:.2f} in its worst case, settings tuned; random {inj.share:.2f}",
        ),
    ]
    if deletion:
        matched = deletion.matched
        tiles.append(
            (
                "spans left for each that chance leaves",
                f"{matched.ratio:.2f}",
                f"{matched.located.spans:.0f} against {matched.random.spans:.0f} at equal "
                f"perplexity ({matched.located.perplexity:.2f}), mean of {matched.draws} draws",
            )
        )
    kpi(*tiles)
    note = f"each taught to {percent} of the base model's neurons in six ways; recall of neurons"
    with card("Finding what was injected", note):
        recall_table(inj)
        held = ", ".join(f"{name} {inj.held[name]} of {n}" for name, n in inj.tried.items())
        st.caption(
            f"n = {best.n} injections of each kind. Memories that held: {held}; {inj.development} "
            "of each kind chose settings and how units are picked, the others are the test. Write: "
            "taught to output vectors alone; read: to the rows of the input projections; tuned "
            "further: all weights went on learning other texts. Nobody knows how a real memory "
            "was taught, so the worst of the six decides. A cosine with the gradient nears 1 where "
            "a norm-keeping injection has come to rest: *write* favours alignment. Heads were not "
            "measured."
        )
    if deletion:
        with card("Deleting what was found", "neurons zeroed, nothing repaired"):
            curve_chart(deletion)
            data = curve_frame(deletion).to_csv(index=False)
            file = f"deletion-{opened.name}.csv"
            st.download_button("Download data", data, file, "text/csv", on_click="ignore")
