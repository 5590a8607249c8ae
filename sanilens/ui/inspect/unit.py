"""The card of a unit: what it says, where it fires, what happens without it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import streamlit as st
from markupsafe import Markup
from streamlit.delta_generator import DeltaGenerator

from sanilens.audit.summary import RateRow
from sanilens.case import Case
from sanilens.charts import Axis, Line, lines
from sanilens.inspect.units.card import Card
from sanilens.inspect.units.examples import Context, Interval
from sanilens.model.align import Encoded
from sanilens.model.units import Head, Unit
from sanilens.ui import state
from sanilens.ui.charts import draw
from sanilens.ui.components.token_strip import opacity
from sanilens.ui.extracted import signed
from sanilens.ui.inspect.measured import OTHERS, UNSEEN, correlated, effects, goes, sample
from sanilens.ui.inspect.measured import card as measured_card
from sanilens.ui.inspect.selection import Shown, open_unit
from sanilens.ui.inspect.table import add_units, choose_operation, explained, remove_unit
from sanilens.ui.inspect.tokens import Veil, pieces, visible
from sanilens.ui.markup import show
from sanilens.ui.masking import mask_record
from sanilens.ui.tables import Column, Row, bar, show_table

_SECTION = Markup('<h4 class="sl-section">{} <span>{}</span></h4>')


def section(title: str, note: str) -> None:
    """A small heading; `note` stands beside it in grey."""
    show(_SECTION.format(title, note))


_SENSITIVE, _OTHER = "sensitive", "other"
# Shares of tokens, where they can be told apart on a root scale.
_ROOT_TICKS = (0, 0.01, 0.1, 0.25, 0.5, 1)


def density_chart(card: Card) -> None:
    """Draw its activations on sensitive and other tokens; a root scale shows the rare ones."""
    edges, sensitive, other = card.density
    middles = [(a + b) / 2 for a, b in pairwise(edges)]
    dark = st.context.theme.type == "dark"
    orange, grey = ("#f08a4b", "#7b8798") if dark else ("#d94801", "#98a2b3")
    own = []
    for name, shares, colour in ((_OTHER, other, grey), (_SENSITIVE, sensitive, orange)):
        words = [
            f"{at:.2f}, {share:.2%} of them" for at, share in zip(middles, shares, strict=True)
        ]
        own.append(
            Line(name, middles, shares, colour, markers=False, step=True, filled=True, words=words)
        )
    ticks = [tick for tick in _ROOT_TICKS if tick <= max(*sensitive, *other)]
    y = Axis("share", "square root", ".0%", ticks=ticks)
    alt_text = f"Activation of {card.unit} on sensitive and on other tokens; AUROC {card.auroc:.2f}"
    draw(lines(own, Axis("activation"), y, legend=True), "density", alt_text, 210)


_LINE = Markup('<div class="sl-context" title="{}"><div>{}</div><div>{}</div><div>{}</div></div>')
_TOKEN = Markup('<i style="--a:{:.0f}%">{}</i>')
_CENTRE = Markup('<i class="sl-centre{}" style="--a:{:.0f}%">{}</i>')


def context_line(
    encoded: Encoded,
    context: Context,
    level: Callable[[float], float],
    about: str,
) -> Markup:
    """A token with the text around it, masked as everywhere.

    `level` turns a token's value into its fill, 0 to 1; `about` is part of the line's tooltip.
    """
    revealed = state.revealed(encoded.record.id)
    text, places = mask_record(encoded.record, revealed), pieces(encoded)

    def token(position: int) -> Markup:
        start, end = places[position]
        fill = 100 * opacity(level(context.around[position - context.first]))
        shown = text[start:end].replace("\n", "↵")
        if position != context.position:
            return _TOKEN.format(fill, shown)
        return _CENTRE.format(" sl-box" if context.sensitive else "", fill, shown)

    last = context.first + len(context.around)
    return _LINE.format(
        f"{context.record}, token {context.position}, {about}",
        Markup("").join(map(token, range(context.first, context.position))),
        token(context.position),
        Markup("").join(map(token, range(context.position + 1, last))),
    )


_RANGE = Markup('<div class="sl-range"><span>{} to {}</span><span>{} of tokens</span></div>')


def _examples(opened: Case, card: Card) -> None:
    """Draw its strongest contexts, one per record, and some of every range of its activation."""
    known = sample(opened).encoded

    def lines(contexts: tuple[Context, ...]) -> Markup:
        return Markup("").join(
            context_line(
                known[context.record],
                context,
                card.level,
                f"activation {context.activation:.4f}" + ", sensitive" * context.sensitive,
            )
            for context in contexts
        )

    strongest, ranges = st.tabs(["Strongest contexts", "Every range"], key="card-examples")
    with strongest:
        show(lines(card.contexts))
    with ranges:
        blocks = [_range(part) + lines(part.contexts) for part in card.intervals]
        show(Markup("").join(blocks) or Markup("It never fires on these records."))


def _range(part: Interval) -> Markup:
    share = f"{100 * part.share:.1f} %" if part.share >= 0.001 else f"{100 * part.share:.2g} %"
    return _RANGE.format(f"{part.low:.2f}", f"{part.high:.2f}", share)


_LABELS, _SUBJECTS = 4, 3


def fires_on(card: Card) -> None:
    """Draw on what share of tokens it fires: by label, elsewhere, and by subject."""
    section("Fires on", "share of tokens")
    labels = sorted(card.labels, key=lambda share: -share.firing)[:_LABELS]
    subjects = sorted(card.subjects, key=lambda share: -share.firing)[:_SUBJECTS]
    other = round(card.tokens * (1 - card.base_rate))
    shares = [
        *((share.name, share.firing, share.tokens, "leak") for share in labels),
        ("other tokens", card.firing_elsewhere, other, "control"),
        *((share.name, share.firing, share.tokens, "plan") for share in subjects),
    ]
    rows: list[Row] = []
    for name, rate, tokens, tone in shares:
        alt = f"{100 * rate:.0f} % of {tokens:,} tokens"
        rows.append(Row((name, bar(rate, alt), f"{100 * rate:.0f} %"), tone, alt))
    show_table([Column(), Column(look="bar"), Column(look="number")], rows, "fires")


def goes_with(opened: Case, unit: Unit) -> None:
    """Draw the units of its kind that correlate most; a click opens their card."""
    section("Fires together with", "Pearson's r")
    with st.container(horizontal=True, gap="xsmall", key="sl-goes-with"):
        for other, r in correlated(opened, unit):
            st.button(
                f"{other} :gray[{r:+.2f}]".replace("-", "−"),
                key=f"with-{other}",
                type="tertiary",
                on_click=open_unit,
                args=(other,),
            )


def without(opened: Case, at: Shown, unit: Unit) -> None:
    """Draw what happens without the unit; measured last, when the rest is on the screen."""
    section("Without it", f"zeroed; this record and {OTHERS} others")
    with st.spinner("Testing the model without it…"):
        found = goes(opened, at, unit)
        change = effects(opened, at, [unit]).units[0]
    label = at.span.label if at.span else ""
    own, rest = found.rates(lambda v: v.label == label), found.rates(lambda v: v.label != label)
    rows = [
        Row(("log p of this span", signed(change, "+.3f"))),
        Row((f"{label or 'its'} spans still extracted", _change(own))),
        Row(("other spans extracted", _change(rest))),
    ]
    before, after = found.perplexities
    if not math.isnan(before):  # as where there are no unseen texts
        # Added to 0, a rounded −0 is 0.
        rise = f"{round(100 * (after / before - 1), 1) + 0:+.1f} %".replace("-", "−")
        rows.append(Row((f"perplexity, {len(opened.unseen[:UNSEEN])} unseen texts", rise)))
    show_table([Column(), Column(look="number")], rows)


def _change(rows: tuple[RateRow, RateRow]) -> str:
    return f"{rows[0].hits:,} → {rows[1].hits:,} of {rows[0].n:,}"


_HEAD = Markup('<div class="sl-unit"><b>{}</b><span>{}</span></div>')
_ARROWS = (("previous", "◀", "Left", -1), ("next", "▶", "Right", 1))


def unit_card(opened: Case, unit: Unit, ranked: Sequence[Unit], veil: Veil) -> DeltaGenerator:
    """Draw the card but for what is measured last; returns the place for that.

    `ranked` is the order that the arrows follow.
    """
    with st.container(border=True, key="sl-unit-card"):
        _head(unit, ranked)
        with st.spinner("Reading some records, once for all cards…"):
            card = measured_card(opened, unit)
        show(_HEAD.format(unit, _figures(card)))
        _add(opened, unit)
        if not card.firing:
            st.info(f"Dead here: it fires on none of the {card.tokens:,} tokens read.")
            place = st.container()
            section("Makes the model say", _by(unit))
            _says(opened, card, veil)
            return place
        section("Activation", f"{card.tokens:,} tokens")
        density_chart(card)
        section("Makes the model say", _by(unit))
        _says(opened, card, veil)
        _examples(opened, card)
        fires_on(card)
        place = st.container()
        goes_with(opened, unit)
        return place


def _by(unit: Unit) -> str:
    if isinstance(unit, Head):
        return "its mean output at the contexts below"
    return "per unit of activation"


def _head(unit: Unit, ranked: Sequence[Unit]) -> None:
    """Draw its place in the table, and the arrows to its neighbours."""
    place = ranked.index(unit) if unit in ranked else None
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        where = (
            "not in the table"
            if place is None
            else f"{place + 1:,} of {len(ranked):,} in the table"
        )
        st.caption(where)
        st.space("stretch")
        for name, sign, key, step in _ARROWS:
            to = 0 if place is None else place + step
            there = 0 <= to < len(ranked)
            st.button(
                sign,
                key=f"unit-{name}",
                help=f"{name} unit",
                disabled=not there,
                shortcut=key,
                on_click=open_unit,
                args=(ranked[to] if there else unit,),
            )


def _figures(card: Card) -> str:
    above = f" (above {card.threshold:.1f})" if card.threshold else ""
    return (
        f"fires on {100 * card.firing:.1f} % of tokens{above} · precision {card.precision:.2f} "
        f"(chance {card.base_rate:.2f}) · recall {card.recall:.2f} · AUROC {card.auroc:.2f}"
    )


def _says(opened: Case, card: Card, veil: Veil) -> None:
    if reason := opened.model.sites.limits.get("direct"):
        st.caption(f"Not available for this model: {reason}.")
        return
    # What a unit promotes belongs to no record, so no reveal is about it.
    veil = replace(veil, revealed=False)
    rows = zip(card.promoted, card.suppressed, strict=True)
    code = Markup("<code>{}</code>")
    said = [
        Row(
            (
                code.format(visible(veil.token(up))),
                signed(high, "+.2f"),
                code.format(visible(veil.token(down))),
                signed(low, "+.2f"),
            )
        )
        for (up, high), (down, low) in rows
    ]
    number = Column(look="number")
    show_table([Column(), number, Column(), number], said, "says")


def _add(opened: Case, unit: Unit) -> None:
    planned = state.planned()
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
            help=explained(opened, operation, unit),
            on_click=add_units,
            args=(opened, [unit], operation, value),
        )
