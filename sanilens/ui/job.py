"""Progress on the page: a bar while it measures, and the panel of a job in the background."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import streamlit as st

from sanilens.errors import SaniLensError
from sanilens.progress import Progress, duration
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


_LOST = "Cancelled. What it had measured is lost."


def job_panel(
    job: Job,
    arguments: Sequence[str],
    label: str,
    note: str,
    *,
    key: str,
    again: bool = False,
    cancelled: str = _LOST,
) -> None:
    """Draw the button that starts `sanilens <arguments>`, and the job while it runs.

    `note` says what it does and how long that takes; the button is quiet when there is a result to
    measure `again`. `cancelled` says what is left of a job that was. When the job ends, the page
    runs again.
    """
    alive = job.status() == "running"
    st.fragment(_panel, run_every=1 if alive else None)(
        job, arguments, label, note, key, again, cancelled, alive
    )


def _panel(
    job: Job,
    arguments: Sequence[str],
    label: str,
    note: str,
    key: str,
    again: bool,
    cancelled: str,
    was_alive: bool,
) -> None:
    now = job.status()
    if (now == "running") != was_alive:
        st.rerun()
    if now == "running":
        _bar(job, key)
        return
    _ended(job, now, cancelled)
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
    words = plain(at.stage[:1].upper() + at.stage[1:]) or "Starting: loading libraries and models"
    if at.of:
        words += f", {at.done:,} of {at.of:,}"
    if at.seconds_left is not None:
        words += f" · {duration(at.seconds_left)} left in this stage"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.progress(at.done / at.of if at.of else 0.0, text=words)
        st.button("Cancel", key=f"{key}-cancel", on_click=job.cancel)


def _ended(job: Job, now: JobStatus, cancelled: str) -> None:
    ended = {"cancelled": cancelled, "failed": "The process ended without a result."}
    if now in ended:
        st.warning(plain(job.error() or ended[now]))
        if now == "failed" and not job.error():
            st.caption(
                f"Its output is in {plain(str(job.log_file))}. It may hold text of the corpus, so "
                "it is not shown here."
            )
