"""The unit's card: where it fires, what it says, and what goes with it."""

from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from sanilens.audit.summary import RateRow
from sanilens.inspect.card import Card, Context
from sanilens.model.units import Neuron
from sanilens.ui import state
from sanilens.ui.inspect.adding import add_units, choose_operation, explained, remove_unit
from sanilens.ui.inspect.density import density_chart
from sanilens.ui.inspect.measured import card as measured_card
from sanilens.ui.inspect.measured import goes, sample
from sanilens.ui.inspect.shown import Shown
from sanilens.ui.inspect.tokens import Veil, visible
from sanilens.ui.markup import show
from sanilens.ui.masking import mask_record
from sanilens.ui.opened import Opened
from sanilens.ui.state import Selection

_HEAD = Markup('<div class="sl-unit"><b>{}</b><span>{}</span></div>')
_SECTION = Markup('<h4 class="sl-section">{} <span>{}</span></h4>')
_SAYS = Markup('<table class="sl-table sl-says"><tbody>{}</tbody></table>')
_SAID = Markup(
    '<tr><td><code>{}</code></td><td class="n">{:+.2f}</td>'
    '<td><code>{}</code></td><td class="n">{:+.2f}</td></tr>'
)
_CONTEXT = Markup('<div class="sl-context" title="{}">{}<mark class="{}">{}</mark>{}</div>')
_GOES = Markup('<table class="sl-table"><tbody>{}</tbody></table>')
_GONE = Markup('<tr><td>{}</td><td class="n">{}</td></tr>')
# Characters of a context before and after its token.
_BEFORE, _AFTER, _CONTEXTS = 22, 14, 5


def unit_card(
    opened: Opened, at: Shown, unit: Neuron, ranked: Sequence[Neuron], veil: Veil
) -> None:
    """Draw the card; `ranked` is the order of ◀ and ▶."""
    with st.container(border=True, key="sl-unit-card"):
        _head(unit, ranked)
        with st.spinner("Reading some records once, for all cards…"):
            card = measured_card(opened, unit)
        show(_HEAD.format(unit, _figures(card)))
        _add(opened, unit)
        show(_SECTION.format("Activation", f"{card.tokens:,} tokens"))
        density_chart(card)
        show(_SECTION.format("Says", "through the unembedding"))
        show(_SAYS.format(Markup("").join(_says(card, veil))))
        show(_SECTION.format("Strongest contexts", "one a record"))
        contexts = (_context(opened, c, veil) for c in card.contexts[:_CONTEXTS])
        show(Markup("").join(contexts))
        _consequence(opened, at, unit)


def _head(unit: Neuron, ranked: Sequence[Neuron]) -> None:
    """Where the unit stands in the ranking, and the way to its neighbours."""
    place = ranked.index(unit) if unit in ranked else None
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.caption(f"unit {place + 1} of {len(ranked)}" if place is not None else "a unit")
        st.space("stretch")
        for sign, step in (("◀", -1), ("▶", 1)):
            to = 0 if place is None else place + step
            st.button(
                sign,
                key=f"unit{step:+d}",
                help="previous unit" if step < 0 else "next unit",
                disabled=not 0 <= to < len(ranked),
                on_click=_go,
                args=(ranked[to] if 0 <= to < len(ranked) else unit,),
            )


def _go(unit: Neuron) -> None:
    now = state.selection()
    state.select(Selection(now.record, now.span, str(unit)))


def _figures(card: Card) -> str:
    labels = ", ".join(name for name, _ in card.labels[:2])
    return (
        f"fires on {100 * card.firing:.1f} % of tokens · precision {card.precision:.2f} "
        f"(by chance {card.base_rate:.2f}) · recall {card.recall:.2f} · AUROC {card.auroc:.2f}"
        + (f" · strongest on {labels}" if labels else "")
    )


def _says(card: Card, veil: Veil) -> list[Markup]:
    rows = zip(card.promoted, card.suppressed, strict=True)
    return [
        _SAID.format(visible(veil.token(up)), high, visible(veil.token(down)), low)
        for (up, high), (down, low) in rows
    ]


def _context(opened: Opened, context: Context, veil: Veil) -> Markup:
    """The token in its text, masked as everywhere."""
    encoded = sample(opened).encoded[context.record]
    start, end = encoded.offsets[context.position]
    text = mask_record(encoded.record, veil.revealed)
    title = f"{context.record}, activation {context.activation:.2f}"
    before = "…" * (start > _BEFORE) + text[max(0, start - _BEFORE) : start]
    tone = "sl-hot" if context.sensitive else ""
    after = text[end : end + _AFTER] + "…"
    return _CONTEXT.format(title, *map(_flat, (before, tone, text[start:end], after)))


def _flat(text: str) -> str:
    return text.replace("\n", "↵")


def _add(opened: Opened, unit: Neuron) -> None:
    planned = {edit.unit: edit.operation for edit in state.basket()}
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if str(unit) in planned:
            st.markdown(f":gray[in plan: {planned[str(unit)]}]")
            st.button("Remove", key="card-remove", on_click=remove_unit, args=(unit,))
            return
        operation, value = choose_operation("card", unit)
        st.button(
            "Add to plan",
            key="card-add",
            type="primary",
            on_click=add_units,
            args=(opened, [unit], operation, value),
        )
    st.caption(explained(opened, operation, unit))


def _consequence(opened: Opened, at: Shown, unit: Neuron) -> None:
    """Measured last: everything else stands already."""
    show(_SECTION.format("If it goes", "this record and 16 others"))
    with st.spinner("Reading them without it…"):
        found = goes(opened, at, unit)
    label = at.span.label if at.span else "its"
    rows = [
        _GONE.format(f"{label} spans still said", _change(found.own)),
        _GONE.format("other spans said", _change(found.others)),
    ]
    before, after = found.perplexity
    if before == before:  # not a number where there is no unseen note
        change = f"{100 * (after / before - 1):+.1f} %"
        rows.append(_GONE.format("perplexity, unseen notes", change))
    show(_GOES.format(Markup("").join(rows)))


def _change(rows: tuple[RateRow, RateRow]) -> str:
    return f"{rows[0].hits:,} → {rows[1].hits:,} of {rows[0].n:,}"
