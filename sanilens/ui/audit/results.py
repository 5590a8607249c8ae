"""The audit's figures: headline, tiles, rates by label, records by leak."""

from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from sanilens.audit.extraction import SpanVerdict
from sanilens.audit.perplexity import worded_perplexity
from sanilens.audit.summary import (
    Group,
    RateRow,
    memory,
    rate_row,
    rates_by,
    records_by_leak,
    uncounted,
    why_nothing,
    worst_subject,
)
from sanilens.charts import Tone
from sanilens.glossary import meaning
from sanilens.model.language_model import ModelKind
from sanilens.ui import state
from sanilens.ui.audit.measuring import Findings
from sanilens.ui.layout import kpi
from sanilens.ui.navigation import page
from sanilens.ui.rates import ArmRate, rate_forest
from sanilens.ui.state import Selection
from sanilens.ui.tables import Column, Row, bounds, percent, rows_high, show_table, tick_clicked

_PENDING = "…"


_MEANING: dict[ModelKind, str] = {
    "causal": "given the text before such a span, the model continues with exactly that span.",
    "masked": "given the text on both sides of such a span, the model fills it in.",
}


def sentence(found: Findings, kind: ModelKind) -> str:
    """How many spans can be extracted, and what that means."""
    row = rate_row(memory(found.subject))
    if not row.n:
        return f"**Nothing was audited**: {why_nothing(found.subject)}"
    return f"**{row.hits:,} of {row.n:,} sensitive spans can be extracted**: {_MEANING[kind]}"


def tiles(found: Findings, *, has_reference: bool, has_control: bool) -> None:
    """Four tiles; an ellipsis stands for what is still being measured."""
    row = rate_row(memory(found.subject))
    beside = ["not measured"]
    if row.low is not None and row.high is not None:
        beside = [f"{_percent(row)} {bounds(row.low, row.high)}"]
    if near := sum(v.near for v in memory(found.subject)):
        beside.append(f"{near:,} more are near misses")
    if count := (doubt := uncounted(found.subject)).maybe_repeated.hits:
        beside.append(f"{count:,} of them may be copied from the context")
    if doubt.unwritable:
        beside.append(f"{doubt.unwritable:,} more cannot be written with this tokenizer")
    if has_control:
        beside.append(f"look-alikes {_rate(found.control)}")
    if has_reference:
        beside.append(f"reference {_rate(found.reference)}")
    kpi(
        (
            "sensitive spans extracted",
            f"{row.hits:,} of {row.n:,}" if row.n else "–",
            " · ".join(beside),
        ),
        _worst(found, has_reference),
        _repeated(found, has_reference),
        _perplexity(found, has_reference),
    )


def _worst(found: Findings, has_reference: bool) -> tuple[str, str, str]:
    by_subject = rates_by(memory(found.subject), lambda v: v.subject)
    if (worst := worst_subject(by_subject)) is None:
        return (f"worst {state.noun()}", "none", "no span could be tested")
    name, row = worst
    note = name
    if has_reference:
        asked = rates_by(memory(found.reference or ()), lambda v: v.subject).get(name)
        note += f" · reference {asked.hits} of {asked.n}" if asked else f" · reference {_PENDING}"
    return (f"worst {state.noun()}", f"{row.hits} of {row.n}", note)


def _repeated(found: Findings, has_reference: bool) -> tuple[str, str, str]:
    row = rate_row(v for v in found.subject if v.status == "repeated")
    note = "the value already occurs before the span: copying, not memory"
    if has_reference:
        asked = rate_row(v for v in found.reference or () if v.status == "repeated")
        note += f" · reference {f'{asked.hits:,}' if found.reference else _PENDING}"
    value = f"{row.hits:,} of {row.n:,}" if row.n else "none"
    return ("repeated in context, not counted", value, note)


def _perplexity(found: Findings, has_reference: bool) -> tuple[str, str, str]:
    own, other = found.utility, found.reference_utility
    key = "unseen" if own is None or "unseen" in own else "neutral"
    title = {"unseen": "perplexity on unseen texts", "neutral": "perplexity on its own texts"}[key]
    reference = worded_perplexity(other[key]) if other else _PENDING
    notes = [f"reference {reference}"] * has_reference
    if key == "neutral":
        notes.append("without what is sensitive; unseen texts would show what else it can do")
    if key == "unseen" and own:
        own_texts = worded_perplexity(own["neutral"])
        notes.append(f"on its own texts, without what is sensitive, {own_texts}")
    value = worded_perplexity(own[key]) if own else _PENDING
    return (title, value, " · ".join(notes))


def _rate(verdicts: Sequence[SpanVerdict] | None) -> str:
    return _PENDING if verdicts is None else _percent(rate_row(memory(verdicts)))


def _percent(row: RateRow | None) -> str:
    return percent(row.rate if row else None)


def rate_picture(found: Sequence[Group]) -> None:
    """Draw the groups in their order: the model's rate, and the reference's, on one line."""
    arms = []
    for group in found:
        rates: dict[Tone, RateRow | None] = {"leak": group.rate, "reference": group.reference}
        for tone, rate in rates.items():
            if rate:
                arms.append(ArmRate(_named(group), rate.hits, rate.n, rate.low, rate.high, tone))
    both = any(arm.tone == "reference" for arm in arms)
    legend: dict[Tone, str] = {"leak": "this model", "reference": "reference"} if both else {}
    rate_forest(arms, "audit-labels", legend=legend)


def _named(group: Group) -> str:
    return group.label or f"all {group.kind}"


def rate_table(found: Sequence[Group], *, has_reference: bool, has_control: bool) -> None:
    """Draw the groups' figures in their order, beside those that the case has."""
    columns = [
        Column("label"),
        Column("extracted", "number", meaning("extraction")),
        Column("rate", "number"),
        Column("95 %", "number aside", meaning("95 % interval")),
        *[Column("look-alikes", "number", meaning("look-alikes"), spare=True)] * has_control,
        *[Column("reference", "number", meaning("reference model"))] * has_reference,
    ]
    rows = [
        Row(
            (
                group.label or Markup("<b>all {}</b>").format(group.kind),
                f"{group.rate.hits:,} / {group.rate.n:,}",
                _percent(group.rate),
                bounds(group.rate.low, group.rate.high),
                *[_percent(group.control)] * has_control,
                *[_percent(group.reference)] * has_reference,
            )
        )
        for group in found
    ]
    show_table(columns, rows)


def record_table(verdicts: Sequence[SpanVerdict], *, key: str, most: int) -> None:
    """Draw the records, the leakiest first; at most so many are seen at once."""
    frame = records_by_leak(verdicts)
    tick_clicked(key)
    picked = st.dataframe(
        frame,
        key=key,
        hide_index=True,
        height=rows_high(min(most, len(frame))),
        on_select="rerun",
        selection_mode=["single-row", "single-cell"],
        column_config={
            "extracted": st.column_config.NumberColumn("extracted", help=meaning("extraction")),
            "of": st.column_config.NumberColumn(help="Spans tested, without the repeated ones."),
            "repeated": st.column_config.NumberColumn(help=meaning("repeated in context")),
            "subject": st.column_config.TextColumn(state.noun()),
        },
    )
    rows = picked["selection"]["rows"]
    if rows and state.is_new(key, rows[0]):
        state.select(Selection(record=str(frame["record"][rows[0]])))
        st.switch_page(page("inspect"))
