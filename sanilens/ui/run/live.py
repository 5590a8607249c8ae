"""A run while it is carried out."""

from collections.abc import Mapping

import streamlit as st
from markupsafe import Markup

from sanilens.case import Case
from sanilens.errors import SaniLensError
from sanilens.locked import locked
from sanilens.progress import duration
from sanilens.runs.arms import TITLES
from sanilens.runs.folder import RunFolder
from sanilens.runs.integrity import NOT_VERIFIED, check
from sanilens.runs.jobs import ALIVE, Status, cancel, error, start, status
from sanilens.runs.log import recent_events
from sanilens.runs.progress import ArmProgress, RunProgress, progress_of
from sanilens.ui.layout import card, pair, show_error
from sanilens.ui.markup import plain, show
from sanilens.ui.run.charts import curves, curves_csv
from sanilens.ui.run.rewriting import rewriting_card
from sanilens.unlearn.plan import Plan


def of_case(run: RunFolder, opened: Case) -> bool:
    """Whether the run is about the open case's model and corpus."""
    plan = run.plan()
    models = plan.model.sha256 == opened.model.fingerprint
    return models and plan.corpus.sha256 == opened.corpus_fingerprint


_HEAD: Mapping[Status, str] = {
    "waiting": "Not started yet",
    "starting": "Starting",
    "running": "Running",
    "stopping": "Stopping after this step",
    "finished": "Finished",
    "cancelled": "Cancelled; Resume continues where it stopped",
    "failed": "Failed",
    "killed": "Interrupted; Resume continues where it stopped",
}
_LIST = Markup('<ol class="sl-stages">{}</ol>')
_ITEM = Markup('<li class="sl-{}"><b>{}</b><span>{}</span></li>')
_STATUS = Markup('<div class="sl-status sl-{}" role="status"><b>{}</b><span>{}</span></div>')


def live(run: RunFolder, plan: Plan) -> bool:
    """Draw the run, every second while it is alive; returns whether it has finished.

    Raises:
        IntegrityError: if its files are not what it wrote; then nothing is drawn.
    """
    alive = status(run, recent_events(run)) in ALIVE
    if not alive and recent_events(run) and not check(run).verified:
        st.caption(NOT_VERIFIED)
    st.fragment(_live, run_every=1 if alive else None)(run, plan, alive)
    return status(run, recent_events(run)) == "finished"


def _live(run: RunFolder, plan: Plan, alive: bool) -> None:
    try:
        events = recent_events(run)
    except SaniLensError as broken:
        show_error(broken)
        return
    now = status(run, events)
    if (now in ALIVE) != alive:
        st.rerun()  # of the whole page, so that it starts or stops refreshing
    progress = progress_of(plan, events)
    with card():
        left, right = st.columns([5, 1], vertical_alignment="center")
        with left:
            show(_STATUS.format(now, _HEAD[now], stage(progress, now)))
        with right, st.container(horizontal_alignment="right"):
            _button(run, plan, now)
        st.progress(1.0 if now == "finished" else progress.fraction)
        if now == "failed":
            st.error(plain(error(run) or ""))
        if now == "killed" and run.log_file.exists():
            st.caption(
                "The process ended without an error message. Its output is in "
                f"{plain(str(run.log_file))}. It may hold text of the corpus, so it is not shown "
                "here."
            )
    _panels(run, plan, progress)


def _panels(run: RunFolder, plan: Plan, progress: RunProgress) -> None:
    left, right = pair("run", (1, 3.2))
    with left, card("Arms"):
        if not progress.arms:
            st.caption("The arms appear once the models are loaded.")
        show(_LIST.format(Markup("").join(map(_item, progress.arms.values()))))
    if plan.rewrite:
        with right:
            rewriting_card(run, progress, last=plan.rewrite.last)
    if not plan.repair.trains:
        return
    with right, card("Curves", "on a fixed sample; the arms are measured on the whole corpus"):
        curves(progress)
        if progress.curves:
            st.download_button(
                "Download data",
                lambda: curves_csv(progress),
                f"curves-{run.root.name}.csv",
                "text/csv",
                key="run-curves",
                on_click="ignore",
            )


def stage(progress: RunProgress, now: Status) -> str:
    """`arm 2 of 8: Repair only, step 61 of 98 · about 2 min left`."""
    arm = progress.current
    if now == "starting":
        return "loading libraries, models and corpus"
    if arm is None or now == "finished":
        done = sum(a.state == "done" for a in progress.arms.values())
        return f"{done} of {len(progress.arms)} arms measured" if progress.arms else ""
    words = f"arm {progress.position} of {len(progress.arms)}: {TITLES[arm.name]}, {_doing(arm)}"
    if now == "running" and progress.seconds_left is not None:
        words += f" · {duration(progress.seconds_left)} left of the whole run"
    return words


def _doing(arm: ArmProgress) -> str:
    if arm.preparing is not None:
        done, of = arm.preparing
        read = f", {done:,} of {of:,} batches" if of else ""
        left = "" if arm.seconds_left is None else f" ({duration(arm.seconds_left)})"
        return f"reading what must stay{read}{left}"
    if arm.rewritten is not None:
        return "rewriting, step {:,} of at most {:,}".format(*arm.rewritten)
    training = arm.of and arm.step < arm.of and not arm.stopped_early
    return f"step {arm.step:,} of {arm.of:,}" if training else "measuring"


def _item(arm: ArmProgress) -> Markup:
    done = "by an earlier run" if arm.kept else f"{arm.seconds or 0:.0f} s"
    note = {"waiting": "", "done": done}.get(arm.state, "…")
    if arm.stopped_early:
        note += " · stopped early"
    return _ITEM.format(arm.state, TITLES[arm.name], note)


def _button(run: RunFolder, plan: Plan, now: Status) -> None:
    if now in ("starting", "running"):
        st.button("Cancel", key="run-cancel", on_click=cancel, args=(run,), disabled=locked())
    elif now in ("waiting", "cancelled", "failed", "killed"):
        label = "Start" if now == "waiting" else "Resume"
        if st.button(label, key="run-resume", type="primary"):
            try:
                start(run, plan)
            except SaniLensError as failed:
                show_error(failed)
                return
            st.rerun()
