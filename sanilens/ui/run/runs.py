"""The workspace's runs as a table: what each is called, did and reached; and what can be done."""

import time

import pandas as pd
import streamlit as st

from sanilens.audit.metrics.knowledge import KNOWLEDGE_KEPT
from sanilens.case import Case
from sanilens.errors import SaniLensError
from sanilens.locked import locked
from sanilens.progress import duration
from sanilens.runs.arms import load_arms
from sanilens.runs.comparison import load_comparison
from sanilens.runs.folder import RunFolder
from sanilens.runs.identity import Identity, delete_run, save_identity, what_goes
from sanilens.runs.integrity import check
from sanilens.runs.jobs import status
from sanilens.runs.judgement import STATES
from sanilens.runs.log import recent_events
from sanilens.runs.verdict import verdict_of
from sanilens.runs.workspace import known_runs
from sanilens.ui import state
from sanilens.ui.extracted import hidden, identifiers
from sanilens.ui.layout import card, show_error
from sanilens.ui.markup import plain
from sanilens.ui.navigation import page
from sanilens.ui.plan.request import summary, take_plan
from sanilens.ui.results import results
from sanilens.ui.run.live import of_case
from sanilens.ui.run.naming import called_apart, identity_of
from sanilens.ui.run.overlay import MOST, overlay_card
from sanilens.ui.tables import rows_high, tick_clicked
from sanilens.unlearn.plan import Plan

_SHOWN = 100
_DAMAGED = {"plan": "cannot be read", "state": "damaged"}


def run_list(opened: Case) -> None:
    """Draw the runs, newest first; one that is ticked can be gone on with, several laid over."""
    every = known_runs()[:_SHOWN]
    if not every:
        return
    with card("Runs in this workspace", "newest first; click one to go on with it, tick up to five "
              "to see them side by side"):  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="center"):
            sought = st.text_input("Search runs", key="run-search", max_chars=80, width=260,
                                   placeholder="Search name, note, id",
                                   label_visibility="collapsed")  # fmt: skip
            away = st.toggle("Show archived runs too", key="run-archived")
        known = identifiers(opened)
        names = called_apart(every, known)
        named = [(run, identity_of(run)) for run in every]
        shown = [(run, identity) for run, identity in named
                 if (away or not identity.archived)
                 and _fits(sought, f"{names[run]} {identity.note} {run.root.name}")]  # fmt: skip
        if not shown:
            st.caption("No run fits." if sought else "All runs are archived.")
            return
        tick_clicked("run-list")
        event = st.dataframe(
            pd.DataFrame([_row(run, names[run], identity, opened) for run, identity in shown]),
            hide_index=True,
            on_select="rerun",
            selection_mode=["multi-row", "single-cell"],
            key="run-list",
            height=rows_high(min(9, len(shown))),
            # What a run reached first: a narrow window cuts off what comes last.
            column_order=(
                "name",
                "verdict",
                "said",
                "knowledge",
                "state",
                "took",
                "when",
                "case",
                "note",
                "plan",
            ),
            column_config={
                "name": st.column_config.TextColumn(width=245),
                "note": st.column_config.TextColumn(width=110),
                "plan": st.column_config.TextColumn(width=240),
                "said": st.column_config.TextColumn(
                    help="Spans extracted, before and after; of those who asked, if some did."
                ),
                "knowledge": st.column_config.TextColumn(
                    "knowledge, %", help="Knowledge kept, in percent."
                ),
            },
        )
        rows = tuple(row for row in event["selection"]["rows"] if row < len(shown))
        ticked = [shown[row] for row in rows]
        if len(ticked) == 1:
            st.markdown(f"**{plain(names[ticked[0][0]])}**: {_in_words(ticked[0][0])}")
            _actions(opened, *ticked[0])
        elif len(ticked) > MOST:
            st.info(f"Up to {MOST} runs can be laid over one another; {len(ticked)} are ticked.")
    if 1 < len(ticked) <= MOST:
        overlay_card(opened, [(run, names[run]) for run, _ in ticked])
    if state.is_new("run-list", rows) and len(rows) == 1:
        state.set_run(ticked[0][0].root.name)
        st.rerun()


def _fits(sought: str, text: str) -> bool:
    """Whether every word that is sought stands in a run's name, note or folder."""
    return all(word in text.casefold() for word in sought.casefold().split())


def _row(run: RunFolder, name: str, identity: Identity, opened: Case) -> dict[str, str]:
    made = time.localtime(run.plan_file.stat().st_mtime)
    row = {"name": name, "note": identity.note}
    try:
        plan, events = run.plan(), recent_events(run)
        now = status(run, events)
        row |= {"case": _case(run, plan, opened), "plan": summary(plan), "state": now}
        key = ("run-figures", run.root.name, events[-1]["hash"] if events else "")
        row |= results().get(key, lambda: _figures(run))
    except SaniLensError:
        row |= _DAMAGED
    return row | {"when": time.strftime("%Y-%m-%d %H:%M", made)}


def _case(run: RunFolder, plan: Plan, opened: Case) -> str:
    """The bundled case's name, and whether it is the open one; never a path."""
    name = plan.corpus.source.partition(":")[0] if ":" in plan.corpus.source else "own texts"
    return f"{name} (open)" if of_case(run, opened) else name


def _figures(run: RunFolder) -> dict[str, str]:
    checked = check(run)
    arms = load_arms(run.arms, checked.arms)
    words = {"said": "–", "knowledge": "–", "verdict": STATES[verdict_of(run).state].lower()}
    if {"before", "after"} <= arms.keys():
        found = load_comparison(run)
        own = found.of("asked") if found.groups else found
        words["said"] = f"{own.rate('before').hits:,} → {own.rate('after').hits:,}"
        words["knowledge"] = KNOWLEDGE_KEPT.words(arms["after"].knowledge_kept)
    took = sum(arm.seconds for arm in arms.values())
    return words | {"took": duration(took).removeprefix("about ") if arms else "–"}


def _actions(opened: Case, run: RunFolder, identity: Identity) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button("See the result", key="runs-compare"):
            state.set_run(run.root.name)
            st.switch_page(page("compare"))
        if st.button("Edit this plan again", key="runs-edit", disabled=not _same_case(run, opened),
                     help="Fills the page Plan; the run stays as it is. For runs of the open "
                     "case."):  # fmt: skip
            take_plan(run.plan())
            st.switch_page(page("plan"))
        if locked():
            return
        with st.popover("Rename…"):
            _rename(opened, run, identity)
        st.button(
            "Bring back" if identity.archived else "Archive",
            key="runs-archive",
            on_click=save_identity,
            args=(run, identity.model_copy(update={"archived": not identity.archived})),
        )
        with st.popover("Delete…"):
            _delete(run)


def _in_words(run: RunFolder) -> str:
    """The whole plan, for which the table has no room."""
    try:
        plan = run.plan()
    except SaniLensError:
        return f"its plan {_DAMAGED['plan']}."
    return f"{summary(plan)}, seed {plan.seed}."


def _same_case(run: RunFolder, opened: Case) -> bool:
    try:
        return of_case(run, opened)
    except SaniLensError:
        return False


def _rename(opened: Case, run: RunFolder, identity: Identity) -> None:
    with st.form("runs-rename", border=False):
        name = st.text_input("Name", identity.name, max_chars=80)
        note = st.text_area("Note", identity.note, max_chars=1000, height=80)
        if not st.form_submit_button("Keep"):
            return
    known = identifiers(opened)
    if any(hidden(text, known) != text for text in (name, note)):
        st.error(
            "Name or note holds an identifier of the open case, or something near one. Both are "
            "kept in plain sight, so use an id instead."
        )
        return
    save_identity(run, Identity(name=name.strip(), note=note.strip(), archived=identity.archived))
    st.rerun()


def _delete(run: RunFolder) -> None:
    st.markdown(f"Deletes {plain(what_goes(run))}. Nothing of it can be brought back.")
    if st.button("Delete this run", key="runs-delete", type="primary"):
        try:
            delete_run(run)
        except SaniLensError as error:
            show_error(error)
            return
        if state.run() == run.root.name:
            state.set_run(None)
        st.rerun()
