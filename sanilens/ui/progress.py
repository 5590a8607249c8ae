"""A bar that says what is measured, how far it is, and about how long it still takes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st


@contextmanager
def progress_bar(text: str, noun: str = "records") -> Iterator[Callable[[int, int], None]]:
    """Give a function that takes (done, total); the bar is gone afterwards."""
    place = st.empty()
    start = time.monotonic()
    place.progress(0.0, text=f"{text}…")

    def show(done: int, total: int) -> None:
        share = done / total if total else 1.0
        left = (time.monotonic() - start) * (1 - share) / share if share else 0.0
        eta = f" · about {left:.0f} s left" if left >= 1 else ""
        place.progress(share, text=f"{text}: {done:,} of {total:,} {noun}{eta}")

    try:
        yield show
    finally:
        place.empty()
