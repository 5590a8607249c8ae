"""Exposure on demand: how far a label's spans stand above surrogates at the same place."""

import math

import streamlit as st

from sanilens.audit.exposure import Exposure
from sanilens.audit.exposure_sample import median_bits, sample_exposure
from sanilens.corpus.records import Record
from sanilens.ui.markup import plain
from sanilens.ui.opened import Opened
from sanilens.ui.progress import progress_bar
from sanilens.ui.results import results

_CANDIDATES = 64


@st.fragment
def exposure_panel(opened: Opened) -> None:
    """Choose a label, measure a sample of its spans, and the same of the look-alikes."""
    one, two = st.columns([2, 1], vertical_alignment="bottom")
    label = one.selectbox("Exposure of", opened.corpus.labels, key="exposure-label")
    if label is None:
        return
    if two.button("Measure", key="exposure-go") or _key(opened, label, "records") in results():
        own = _measured(opened, label, "records", opened.corpus.records)
        control = _measured(opened, label, "control", opened.corpus.control)
        st.markdown(_sentence(label, own, control))


def _key(opened: Opened, label: str, which: str) -> tuple[str, ...]:
    return ("exposure", opened.key, label, which)


def _measured(
    opened: Opened, label: str, which: str, records: tuple[Record, ...]
) -> list[Exposure]:
    def measure() -> list[Exposure]:
        with progress_bar(f"Exposure, {which}", "spans") as progress:
            return sample_exposure(
                opened.subject, records, label, count=_CANDIDATES, progress=progress
            )

    return results().get(_key(opened, label, which), measure)


def _sentence(label: str, own: list[Exposure], control: list[Exposure]) -> str:
    bits, by_chance = median_bits(own), median_bits(control)
    if bits is None:
        return f"No {plain(label)} span has text before it."
    most = math.log2(_CANDIDATES)
    beside = "" if by_chance is None else f" Look-alikes: {by_chance:.1f}."
    return (
        f"Median **{bits:.1f} of {most:.0f} bits** over {len(own)} spans: {most:.0f} means that "
        f"the true value beats all {_CANDIDATES - 1} surrogates; about 1 is chance.{beside}"
    )
