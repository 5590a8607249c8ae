"""The audit's settings, and its measurements one after the other."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import streamlit as st

from sanilens.audit.extraction import SpanVerdict
from sanilens.audit.metrics.exposure import Exposure, median_bits, sample_exposure
from sanilens.audit.summary import after_tries, memory
from sanilens.case import Case
from sanilens.corpus.records import FREE_TEXT, Record
from sanilens.glossary import meaning
from sanilens.ui import state
from sanilens.ui.current_case import audit, audited, utility
from sanilens.ui.job import progress_bar
from sanilens.ui.markup import plain
from sanilens.ui.numbers import number, watched, why_not
from sanilens.ui.results import results
from sanilens.ui.state import Tries
from sanilens.unlearn.plan import AuditSettings

_WHOLE, _LAST = "everything before it", "only the last tokens"


@dataclass(frozen=True, slots=True)
class Findings:
    """The audit so far; None for what is not measured yet, or cannot be."""

    subject: list[SpanVerdict]
    control: list[SpanVerdict] | None = None
    reference: list[SpanVerdict] | None = None
    utility: dict[str, float] | None = None
    reference_utility: dict[str, float] | None = None


def attacker(found: Findings) -> None:
    """What an attacker gets who samples: a number that follows the fields at once."""
    tries = state.tries()
    one, two = st.columns(2)
    count = number(
        one, "samples (n)", 1, 1_000_000, tries.count, key="tries-n",
        help=meaning("sampled extraction"),
    )  # fmt: skip
    probability = number(
        two, "with probability at least (p)", 0.01, 0.99, tries.probability, step=0.05,
        key="tries-p",
    )  # fmt: skip
    state.set_tries(Tries(count, probability))
    got = after_tries(memory(found.subject), count, probability)
    control = after_tries(memory(found.control or ()), count, probability)
    beside = f" Look-alikes: {control.likely:,} of {control.n:,}." if found.control else ""
    st.markdown(
        f"**{got.likely:,} of {got.n:,}** spans turn up at least once in {count:,} samples with "
        f"p ≥ {probability:.2f}; {got.expected:,.0f} are expected to.{beside}"
    )


def settings_form() -> None:
    """Prefix, temperature and top-k; changing one measures everything again."""
    old = state.audit_settings()
    with st.form("audit-settings", border=False):
        prefix = st.radio(
            "Text shown before a span",
            [_WHOLE, _LAST],
            index=int(old.prefix_tokens is not None),
            horizontal=True,
        )
        one, two, three = st.columns(3)
        with watched() as wrong:
            last = number(one, "tokens", 1, 100_000, old.prefix_tokens or 32, key="audit-tokens")
            temperature = number(
                two, "temperature", 0.05, 10.0, old.temperature, step=0.05,
                key="audit-temperature",
            )  # fmt: skip
            top_k = number(three, "top-k (0: off)", 0, 1_000_000, old.top_k or 0, key="audit-top-k")
        if st.form_submit_button("Measure again", key="audit-again") and not wrong:
            state.set_audit_settings(
                AuditSettings(
                    prefix_tokens=last if prefix == _LAST else None,
                    temperature=temperature,
                    top_k=top_k or None,
                )
            )
            st.rerun()
        why_not(wrong)


def verdicts(opened: Case, settings: AuditSettings, who: str, text: str) -> list[SpanVerdict]:
    """The verdicts: at once if they are known, else behind a progress bar."""
    if audited(opened.sources, settings, who):
        return audit(opened.sources, settings, who)
    with progress_bar(text) as progress:
        return audit(opened.sources, settings, who, progress)


def findings(opened: Case, settings: AuditSettings) -> Iterator[Findings]:
    """The findings after each step; the last ones are complete."""
    found = Findings(verdicts(opened, settings, "subject", "Testing every span"))
    if opened.corpus.control:
        yield found
        text = "Testing the look-alikes"
        found = replace(found, control=verdicts(opened, settings, "control", text))
    if opened.reference:
        yield found
        text = "Testing the reference model"
        found = replace(found, reference=verdicts(opened, settings, "reference", text))
    yield found
    with progress_bar("Measuring perplexity"):
        found = replace(found, utility=utility(opened.sources))
    if opened.reference:
        yield found
        with progress_bar("Measuring the reference model's perplexity"):
            found = replace(found, reference_utility=utility(opened.sources, "reference"))
    yield found


_CANDIDATES = 64


@st.fragment
def exposure_panel(opened: Case) -> None:
    """Choose a label; measure a sample of its spans, and of the look-alikes'."""
    one, two = st.columns([2, 1], vertical_alignment="bottom")
    label = one.selectbox(
        "Exposure of", opened.corpus.labels, key="exposure-label", help=meaning("exposure")
    )
    if label is None:
        return
    if two.button("Measure", key="exposure-go") or _key(opened, label, "records") in results():
        own = _measured(opened, label, "records", opened.corpus.records)
        control = _measured(opened, label, "control", opened.corpus.control)
        bits, by_chance = median_bits(own), median_bits(control)
        if bits is None:
            others = " and texts of others that are no longer" * (label == FREE_TEXT)
            st.markdown(f"No {plain(label)} span has any text before it{others}.")
            return
        candidates = max(each.candidates for each in own)
        most, others = math.log2(candidates), "other texts" if label == FREE_TEXT else "surrogates"
        beside = "" if by_chance is None else f" Look-alikes: {by_chance:.1f}."
        st.markdown(
            f"Median **{bits:.1f} of {most:.2g} bits** over {len(own)} spans. {most:.2g}: the true "
            f"value beats all {candidates - 1} {others}; about 1 is chance.{beside}"
        )


def _key(opened: Case, label: str, which: str) -> tuple[str, ...]:
    return ("exposure", opened.key, label, which)


def _measured(opened: Case, label: str, which: str, records: tuple[Record, ...]) -> list[Exposure]:
    def measure() -> list[Exposure]:
        with progress_bar(f"Exposure, {which}", "spans") as progress:
            return sample_exposure(
                opened.model, records, label, count=_CANDIDATES, progress=progress
            )

    return results().get(_key(opened, label, which), measure)
