"""Localisers: which of them can be trusted on this model, tested on memories that are known."""

import shlex

import streamlit as st

from sanilens.case import Case
from sanilens.inspect.locate.deletion_curve import DeletionResult
from sanilens.inspect.locate.recall import InjResult
from sanilens.ui.current_case import name_of
from sanilens.ui.frame import case_bar, opened_case
from sanilens.ui.job import job_panel
from sanilens.ui.layout import card, kpi, next_step, page_header
from sanilens.ui.localisers.measuring import (
    arguments,
    curve_chart,
    curve_frame,
    measured,
    measuring_job,
    recall_table,
    tests_card,
)

_WHAT = (
    "Which localiser can be trusted on this model: each has to find neurons that are known to "
    "carry a memory, and neurons whose deletion silences the corpus."
)
_HOW_LONG = (
    "Injects memories into copies of the base model, and deletes units of the examined one; "
    "about 45 minutes on the bundled case. You can close this page; it carries on."
)

_WRITE = "Only output vectors were taught, and they keep their length, which favours *alignment*."
_SEVERAL = (
    "*Write*: only output vectors were taught; *read*: only the rows of the input projections; "
    "*tuned further*: all weights then learned other texts. No one knows how a real memory was "
    "taught, so the worst way decides. Taught vectors keep their length, which favours *alignment* "
    "under *write*."
)


def page() -> None:
    """Draw the page."""
    if (opened := opened_case("Localisers", _WHAT, "Nothing to measure yet.")) is None:
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
    next_step("Next: see what each unit does.", "inspect")


def _why(inj: InjResult, deletion: DeletionResult | None) -> str:
    others = [name for name in inj.candidates if name != inj.recommended]
    if deletion and others:
        return f"ties with {', '.join(others)} on injections; better at deletion"
    return "best worst case on the development injections"


def _results(opened: Case, inj: InjResult, deletion: DeletionResult | None) -> None:
    row, percent = inj.localisers[inj.recommended], f"{100 * inj.share:.0f} %"
    best, ways = row.least, len(inj.held)
    masks = [n for n in ("hard-concrete", "slimming") if n in inj.localisers]
    mask = max(masks, key=lambda n: inj.localisers[n].least.recall)
    masked = inj.localisers[mask].least.recall
    tiles = [
        ("recommended", inj.recommended, _why(inj, deletion)),
        (
            "recall, worst case" if ways > 1 else "recall of injected neurons",
            f"{best.recall:.2f}",
            f"95 % interval {best.low:.2f} to {best.high:.2f} · {best.n} injections, {row.worst}",
        ),
        (
            f"against {mask}",
            f"{best.recall / masked:.1f} ×" if masked else "–",
            f"the better learned mask, tuned: recall {masked:.2f} · chance {inj.share:.2f}",
        ),
    ]
    if deletion:
        matched = deletion.matched
        tiles.append(
            (
                "spans left, against random deletion",
                f"{matched.ratio:.2f} ×",
                f"{matched.located.spans:.0f} against {matched.random.spans:.0f} at the same "
                f"perplexity, {matched.located.perplexity:.2f} · mean of {matched.draws} draws",
            )
        )
    kpi(*tiles)
    note = f"each taught to {percent} of the base model's neurons"
    with card("Finding what was injected", f"{note}, in {ways} ways" if ways > 1 else note):
        recall_table(inj)
        held = ", ".join(f"{name} {inj.held[name]} of {n}" for name, n in inj.tried.items())
        st.caption(
            f"{best.n} injections of each kind are the test; {inj.development} more chose the "
            f"settings and where units are picked from. Injections that took: {held}. "
            f"{_SEVERAL if ways > 1 else _WRITE} Heads were not tested."
        )
    if deletion:
        with card("Deleting what was found", "neurons zeroed, no repair"):
            curve_chart(deletion)
            data = curve_frame(deletion).to_csv(index=False)
            file = f"deletion-{name_of(opened)}.csv"
            st.download_button("Download data", data, file, "text/csv", on_click="ignore")
