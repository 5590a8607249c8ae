"""Progress on the page: a bar while it measures, and the panel of a job in the background."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import streamlit as st

from sanilens.errors import SaniLensError
from sanilens.progress import Progress
from sanilens.runs.jobs import Job, JobStatus
from sanilens.ui.layout import show_error
from sanilens.ui.markup import plain


@contextmanager
def progress_bar(text: str, noun: str = "records") -> Iterator[Progress]:
    """A bar to report progress to; it is gone afterwards."""
    place = st.empty()
    start = time.monotonic()
    place.progress(0.0, text=f"{text}…")

    def show(done: int, of: int, _note: str = "", /) -> None:
        share = done / of if of else 1.0
        left = (time.monotonic() - start) * (1 - share) / share if share else 0.0
        eta = f" · about {left:.0f} s left" if left >= 1 else ""
        place.progress(share, text=f"{text}: {done:,} of {of:,} {noun}{eta}")

    try:
        yield show
    finally:
        place.empty()


_ENDED = {
    "cancelled": "Cancelled. What it had measured is lost.",
    "failed": "The process ended without a result.",
}


def job_panel(
    job: Job, arguments: Sequence[str], label: str, note: str, *, key: str, again: bool = False
) -> None:
    """Draw the button that starts `sanilens <arguments>`, and the job while it runs.

    `note` says what it does and how long that takes; the button is quiet when there is a result to
    measure `again`. When the job ends, the page runs again.
    """
    alive = job.status() == "running"
    st.fragment(_panel, run_every=1 if alive else None)(
        job, arguments, label, note, key, again, alive
    )


def _panel(
    job: Job,
    arguments: Sequence[str],
    label: str,
    note: str,
    key: str,
    again: bool,
    was_alive: bool,
) -> None:
    now = job.status()
    if (now == "running") != was_alive:
        st.rerun()
    if now == "running":
        _bar(job, key)
        return
    _ended(job, now)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        kind = "secondary" if again or now == "finished" else "primary"
        if st.button(label, key=f"{key}-start", type=kind):
            try:
                job.start(arguments)
            except SaniLensError as failed:
                show_error(failed)
                return
            st.rerun()
        st.caption(note)


def _bar(job: Job, key: str) -> None:
    at = job.progress()
    left, right = st.columns([6, 1], vertical_alignment="center")
    words = plain(at.stage) or "Starting: loading libraries and models"
    if at.of:
        words += f", {at.done:,} of {at.of:,}"
    if at.seconds_left is not None:
        words += f" · {duration(at.seconds_left)} left in this stage"
    left.progress(at.done / at.of if at.of else 0.0, text=words)
    right.button("Cancel", key=f"{key}-cancel", on_click=job.cancel)


def _ended(job: Job, now: JobStatus) -> None:
    if now in _ENDED:
        st.warning(plain(job.error() or _ENDED[now]))
        if now == "failed" and not job.error():
            st.caption(
                f"Its output is in {plain(str(job.log_file))}. It may hold text of the corpus, so "
                "it is not shown here."
            )


def duration(seconds: float) -> str:
    """`about 2 min`, no more exact than an estimate is."""
    if seconds < 50:
        return f"about {max(5, 5 * round(seconds / 5))} s"
    if seconds < 90 * 60:
        return f"about {max(1, round(seconds / 60))} min"
    return f"about {seconds / 3600:.1f} h"
