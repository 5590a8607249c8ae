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
from sanilens.model.language_model import ModelKind
from sanilens.ui import state
from sanilens.ui.audit.measuring import Findings
from sanilens.ui.layout import kpi
from sanilens.ui.markup import show
from sanilens.ui.navigation import page
from sanilens.ui.state import Selection

_PENDING = "…"


_MEANING: dict[ModelKind, str] = {
    "causal": "given the text before a span, the model's own next words are that span.",
    "masked": "with a gap in a span's place and the text on both sides, the model fills it in.",
}


def sentence(found: Findings, kind: ModelKind) -> str:
    """`912 of 1,103 sensitive spans can be extracted`, and what that means."""
    row = rate_row(memory(found.subject))
    if not row.n:
        return f"**Nothing was audited**: {why_nothing(found.subject)}"
    said = f"**{row.hits:,} of {row.n:,} sensitive spans can be extracted**"
    return f"{said}: {_MEANING[kind]}"


def tiles(found: Findings, *, has_reference: bool, has_control: bool) -> None:
    """Four tiles; what is being measured shows an ellipsis."""
    row = rate_row(memory(found.subject))
    beside = ["not measured"]
    if row.low is not None and row.high is not None:
        beside = [f"{_percent(row)} [{100 * row.low:.1f}, {100 * row.high:.1f}]"]
    if count := (doubt := uncounted(found.subject)).maybe_repeated.hits:
        beside.append(f"of these {count:,} may be repeated from the context")
    if doubt.unwritable:
        beside.append(f"{doubt.unwritable:,} more cannot be written by this tokenizer")
    if has_control:
        beside.append(f"look-alikes {_rate(found.control)}")
    if has_reference:
        beside.append(f"reference {_rate(found.reference)}")
    kpi(
        (
            "sensitive spans the model says",
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
        return ("worst subject", "none", "no span could be asked")
    name, row = worst
    note = name
    if has_reference:
        asked = rates_by(memory(found.reference or ()), lambda v: v.subject).get(name)
        note += f" · reference {asked.hits} of {asked.n}" if asked else f" · reference {_PENDING}"
    return ("worst subject", f"{row.hits} of {row.n}", note)


def _repeated(found: Findings, has_reference: bool) -> tuple[str, str, str]:
    row = rate_row(v for v in found.subject if v.status == "repeated")
    note = "it stands before the span already: copying, not memory"
    if has_reference:
        asked = rate_row(v for v in found.reference or () if v.status == "repeated")
        note += f" · reference {f'{asked.hits:,}' if found.reference else _PENDING}"
    value = f"{row.hits:,} of {row.n:,}" if row.n else "none"
    return ("repeated in context, not counted", value, note)


def _perplexity(found: Findings, has_reference: bool) -> tuple[str, str, str]:
    own, other = found.utility, found.reference_utility
    key = "unseen" if own is None or "unseen" in own else "neutral"
    title = {"unseen": "perplexity on unseen texts", "neutral": "perplexity, neutral tokens"}[key]
    reference = worded_perplexity(other[key]) if other else _PENDING
    notes = [f"reference {reference}"] * has_reference
    if key == "unseen" and own:
        notes.append(f"its own texts, neutral tokens {worded_perplexity(own['neutral'])}")
    value = worded_perplexity(own[key]) if own else _PENDING
    return (title, value, " · ".join(notes))


def _rate(verdicts: Sequence[SpanVerdict] | None) -> str:
    return _PENDING if verdicts is None else _percent(rate_row(memory(verdicts)))


def _percent(row: RateRow) -> str:
    return "–" if row.rate is None else f"{100 * row.rate:.1f} %"


_TABLE = Markup(
    '<table class="sl-table sl-rates"><thead><tr><th>label</th><th></th><th class="n">said</th>'
    '<th class="n">rate</th><th class="n">95 %</th><th class="n">look-alikes</th>'
    '<th class="n">reference</th></tr></thead><tbody>{}</tbody></table>'
)
_ROW = Markup(
    '<tr class="{tone}"><td>{name}</td><td><div class="sl-bar" role="img" aria-label="{alt}">'
    '<b style="width:{rate:.2f}%"></b><i style="left:{low:.2f}%;width:{width:.2f}%"></i>{tick}'
    '</div></td><td class="n">{said}</td><td class="n">{percent}</td>'
    '<td class="n sl-mute">{interval}</td><td class="n">{control}</td><td class="n">{ref}</td></tr>'
)
_TICK = Markup('<u style="left:{:.2f}%"></u>')
_KIND = Markup("<b>all {}</b>")


def rate_table(found: Sequence[Group]) -> None:
    """Draw the groups in their order; the dark tick is the reference model's rate."""
    show(_TABLE.format(Markup("").join(map(_row, found))))


def _row(group: Group) -> Markup:
    row, reference = group.rate, group.reference
    percent = _rates_percent(row)
    low, high = 100 * (row.low or 0), 100 * (row.high or 0)
    return _ROW.format(
        tone="sl-leak",
        name=group.label or _KIND.format(group.kind),
        alt=f"{percent} of {row.n}",
        rate=100 * (row.rate or 0),
        low=low,
        width=high - low,
        tick=_TICK.format(100 * reference.rate) if reference and reference.rate is not None else "",
        said=f"{row.hits:,} / {row.n:,}",
        percent=percent,
        interval=f"[{low:.0f}, {high:.0f}]" if row.n else "not measured",
        control=_rates_percent(group.control),
        ref=_rates_percent(reference),
    )


def _rates_percent(row: RateRow | None) -> str:
    return "–" if row is None or row.rate is None else f"{100 * row.rate:.1f} %"


def record_table(verdicts: Sequence[SpanVerdict], *, key: str, height: int) -> None:
    """Draw the records, those of which most is said on top, at most `height` pixels."""
    frame = records_by_leak(verdicts)
    picked = st.dataframe(
        frame,
        key=key,
        hide_index=True,
        height=min(height, 38 + 35 * len(frame)),
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "said": st.column_config.NumberColumn(help="Spans that only memory can say."),
            "of": st.column_config.NumberColumn(help="Spans that were asked, repeated ones apart."),
            "repeated": st.column_config.NumberColumn(
                help="Spans whose value stands earlier in the record: not counted."
            ),
        },
    )
    rows = picked["selection"]["rows"]
    if rows and state.is_new(key, rows[0]):
        state.select(Selection(record=str(frame["record"][rows[0]])))
        st.switch_page(page("inspect"))
