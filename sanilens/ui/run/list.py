"""The runs of this workspace, to come back to."""

import time

import pandas as pd
import streamlit as st

from sanilens.errors import SaniLensError
from sanilens.runs.folder import RunFolder
from sanilens.runs.log import recent_events
from sanilens.runs.process import status
from sanilens.runs.workspace import known_runs
from sanilens.ui import state
from sanilens.ui.layout import card
from sanilens.ui.opened import Opened
from sanilens.ui.plan.file import summary

_SHOWN = 50


def run_list(opened: Opened) -> None:
    """Draw the workspace's runs, newest first; a click shows one."""
    runs = known_runs()[:_SHOWN]
    if not runs:
        return
    with card("Runs in this workspace", f"{len(runs)} shown, newest first"):
        event = st.dataframe(
            pd.DataFrame([_row(run, opened) for run in runs]),
            hide_index=True,
            on_select="rerun",
            selection_mode="single-row",
            key="run-list",
            height=min(246, 38 + 35 * len(runs)),
        )
    rows = tuple(event["selection"]["rows"])
    if state.is_new("run-list", rows) and rows:
        state.set_run(runs[rows[0]].root.name)
        st.rerun()


def of_case(run: RunFolder, opened: Opened) -> bool:
    """Whether a run examined the open case's model and corpus."""
    plan = run.plan()
    models = plan.model.sha256 == opened.subject.fingerprint
    return models and plan.corpus.sha256 == opened.corpus_fingerprint


def _row(run: RunFolder, opened: Opened) -> dict[str, str]:
    row = {"run": run.root.name}
    try:
        row |= {
            "plan": summary(run.plan()),
            "state": status(run, recent_events(run)),
            "case": "this one" if of_case(run, opened) else "another",
        }
    except SaniLensError:
        row |= {"plan": "cannot be read", "state": "damaged", "case": ""}
    made = time.localtime(run.plan_file.stat().st_mtime)
    return row | {"made": time.strftime("%Y-%m-%d %H:%M", made)}
