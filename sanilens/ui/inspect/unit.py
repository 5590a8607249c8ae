"""Headings inside the unit's card."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import altair as alt
import pandas as pd
import streamlit as st
from markupsafe import Markup
from streamlit.delta_generator import DeltaGenerator

from sanilens.audit.summary import RateRow
from sanilens.inspect.units.card import Card, Share
from sanilens.inspect.units.examples import Context, Interval
from sanilens.model.align import Encoded
from sanilens.model.units import Head, Unit
from sanilens.ui import state
from sanilens.ui.components.token_strip import opacity
from sanilens.ui.inspect.measured import OTHERS, UNSEEN, correlated, effects, goes, sample
from sanilens.ui.inspect.measured import card as measured_card
from sanilens.ui.inspect.selection import Shown, open_unit
from sanilens.ui.inspect.table import add_units, choose_operation, explained, remove_unit
from sanilens.ui.inspect.tokens import Veil, pieces, visible
from sanilens.ui.markup import show
from sanilens.ui.masking import mask_record
from sanilens.ui.opened import Opened

_SECTION = Markup('<h4 class="sl-section">{} <span>{}</span></h4>')


def section(title: str, note: str) -> None:
    """A small heading; `note` stands beside it in grey."""
    show(_SECTION.format(title, note))


_SENSITIVE, _OTHER = "sensitive", "other"


def density_chart(card: Card) -> None:
    """Two histograms of shares; the root scale keeps rare strong tokens visible."""
    edges, sensitive, other = card.density
    middles = [(a + b) / 2 for a, b in pairwise(edges)]
    frame = pd.DataFrame(
        {
            "activation": middles * 2,
            "share": [*sensitive, *other],
            "tokens": [_SENSITIVE] * len(sensitive) + [_OTHER] * len(other),
        }
    )
    dark = st.context.theme.type == "dark"
    colours = ["#f08a4b", "#7b8798"] if dark else ["#d94801", "#98a2b3"]
    chart = (
        alt.Chart(frame)
        .mark_area(interpolate="step", opacity=0.35, line={"strokeWidth": 1.5})
        .encode(
            x=alt.X("activation:Q", title="activation", axis=alt.Axis(grid=False, tickCount=5)),
            y=alt.Y(
                "share:Q",
                title="share of tokens",
                stack=None,
                scale=alt.Scale(type="sqrt"),
                axis=alt.Axis(format="%", tickCount=3),
            ),
            color=alt.Color(
                "tokens:N",
                scale=alt.Scale(domain=[_SENSITIVE, _OTHER], range=colours),
                legend=alt.Legend(title=None, orient="top", offset=2, padding=0),
            ),
            tooltip=[
                "tokens:N",
                alt.Tooltip("activation:Q", format=".2f"),
                alt.Tooltip("share:Q", format=".2%"),
            ],
        )
    )
    alt_text = f"Activation of {card.unit} on sensitive and on other tokens; AUROC {card.auroc:.2f}"
    st.altair_chart(chart, alt=alt_text, key="density", height=165)


_LINE = Markup('<div class="sl-context" title="{}"><div>{}</div><div>{}</div><div>{}</div></div>')
_TOKEN = Markup('<i style="--a:{:.0f}%">{}</i>')
_CENTRE = Markup('<i class="sl-centre{}" style="--a:{:.0f}%">{}</i>')


def context_line(
    encoded: Encoded,
    context: Context,
    level: Callable[[float], float],
    about: str,
    *,
    revealed: bool,
) -> Markup:
    """The place in its text, masked as everywhere.

    `level` turns a token's value into a share of the strongest, which fills it; `about` is what
    the line says of its place when it is pointed at.
    """
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


def strongest_places(opened: Opened, card: Card, veil: Veil) -> None:
    """The strongest_places places, one a record."""
    show(_lines(opened, card, card.contexts, veil))


def places_of_every_range(opened: Opened, card: Card, veil: Veil) -> None:
    """Some places of every range of its activation, from the highest down."""
    blocks = [_range(part) + _lines(opened, card, part.contexts, veil) for part in card.intervals]
    show(Markup("").join(blocks) or Markup("It never fires on these records."))


def _range(part: Interval) -> Markup:
    share = f"{100 * part.share:.1f} %" if part.share >= 0.001 else f"{100 * part.share:.2g} %"
    return _RANGE.format(f"{part.low:.2f}", f"{part.high:.2f}", share)


def _lines(opened: Opened, card: Card, contexts: tuple[Context, ...], veil: Veil) -> Markup:
    known = sample(opened).encoded
    return Markup("").join(_line(known[c.record], c, card, veil) for c in contexts)


def _line(encoded: Encoded, context: Context, card: Card, veil: Veil) -> Markup:
    about = f"activation {context.activation:.4f}" + (", sensitive" if context.sensitive else "")
    return context_line(encoded, context, card.level, about, revealed=veil.revealed)


_TABLE = Markup('<table class="sl-table sl-fires"><tbody>{}</tbody></table>')
_ROW = Markup(
    '<tr class="sl-{}" title="{}"><td>{}</td><td><div class="sl-bar" role="img" aria-label="{}">'
    '<b style="width:{:.1f}%"></b></div></td><td class="n">{}</td></tr>'
)
_LABELS, _SUBJECTS = 4, 3


def fires_on(card: Card) -> None:
    """On what share of each label's tokens it fires, of other tokens, and of whose."""
    section("Fires on", "share of each one's tokens")
    labels = sorted(card.labels, key=lambda share: -share.firing)[:_LABELS]
    subjects = sorted(card.subjects, key=lambda share: -share.firing)[:_SUBJECTS]
    other = round(card.tokens * (1 - card.base_rate))
    rows = [
        *(_row(share, "leak") for share in labels),
        _bar("other tokens", card.firing_elsewhere, other, "control"),
        *(_row(share, "plan") for share in subjects),
    ]
    show(_TABLE.format(Markup("").join(rows)))


def goes_with(opened: Opened, unit: Unit) -> None:
    """Units of the same kind of the highest correlation; a click opens their card."""
    section("Goes with", "Pearson r of the activations")
    with st.container(horizontal=True, gap="xsmall", key="sl-goes-with"):
        for other, r in correlated(opened, unit):
            st.button(
                f"{other} :gray[{r:+.2f}]".replace("-", "−"),
                key=f"with-{other}",
                type="tertiary",
                on_click=open_unit,
                args=(other,),
            )


def _row(share: Share, tone: str) -> Markup:
    return _bar(share.name, share.firing, share.tokens, tone)


def _bar(name: str, rate: float, tokens: int, tone: str) -> Markup:
    percent = f"{100 * rate:.0f} %"
    alt = f"{percent} of {tokens:,} tokens"
    return _ROW.format(tone, alt, name, alt, 100 * rate, percent)


_GOES = Markup('<table class="sl-table"><tbody>{}</tbody></table>')
_GONE = Markup('<tr><td>{}</td><td class="n">{}</td></tr>')


def without(opened: Opened, at: Shown, unit: Unit) -> None:
    """Measured last: everything else of the card stands already."""
    section("If it goes", f"zeroed; this record and {OTHERS} others")
    with st.spinner("Reading them without it…"):
        found = goes(opened, at, unit)
        change = effects(opened, at, [unit]).units[0]
    label = at.span.label if at.span else ""
    own, rest = found.rates(lambda v: v.label == label), found.rates(lambda v: v.label != label)
    rows = [
        _GONE.format("log p of this span", f"{change:+.3f}".replace("-", "−")),
        _GONE.format(f"{label or 'its'} spans still said", _change(own)),
        _GONE.format("other spans said", _change(rest)),
    ]
    before, after = found.perplexities
    if not math.isnan(before):  # as where there is no unseen note
        # Added to 0, a rounded −0 is 0.
        rise = f"{round(100 * (after / before - 1), 1) + 0:+.1f} %".replace("-", "−")
        rows.append(_GONE.format(f"perplexity, {len(opened.unseen[:UNSEEN])} unseen texts", rise))
    show(_GOES.format(Markup("").join(rows)))


def _change(rows: tuple[RateRow, RateRow]) -> str:
    return f"{rows[0].hits:,} → {rows[1].hits:,} of {rows[0].n:,}"


_HEAD = Markup('<div class="sl-unit"><b>{}</b><span>{}</span></div>')
_ARROWS = (("previous", "◀", "Left", -1), ("next", "▶", "Right", 1))
_SAYS = Markup('<table class="sl-table sl-says"><tbody>{}</tbody></table>')
_SAID = Markup(
    '<tr><td><code>{}</code></td><td class="n">{:+.2f}</td>'
    '<td><code>{}</code></td><td class="n">{:+.2f}</td></tr>'
)


def unit_card(opened: Opened, unit: Unit, ranked: Sequence[Unit], veil: Veil) -> DeltaGenerator:
    """Draw the card, all but what is measured last; returns the place for that.

    `ranked` is the order of the arrows.
    """
    with st.container(border=True, key="sl-unit-card"):
        _head(unit, ranked)
        with st.spinner("Reading some records once, for all cards…"):
            card = measured_card(opened, unit)
        show(_HEAD.format(unit, _figures(card)))
        _add(opened, unit)
        if not card.firing:
            st.info(f"Dead here: it fires on none of the {card.tokens:,} tokens that were read.")
            place = st.container()
            section("Says", _by(unit))
            _says(opened, card, veil)
            return place
        section("Activation", f"{card.tokens:,} tokens")
        density_chart(card)
        section("Says", _by(unit))
        _says(opened, card, veil)
        strongest, ranges = st.tabs(["Strongest contexts", "Every range"], key="card-examples")
        with strongest:
            strongest_places(opened, card, veil)
        with ranges:
            places_of_every_range(opened, card, veil)
        fires_on(card)
        place = st.container()
        goes_with(opened, unit)
        return place


def _by(unit: Unit) -> str:
    if isinstance(unit, Head):
        return "its mean at the contexts below"
    return "per unit of activation"


def _head(unit: Unit, ranked: Sequence[Unit]) -> None:
    """Where the unit stands in the table, and the way to its neighbours."""
    place = ranked.index(unit) if unit in ranked else None
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        where = "a unit" if place is None else f"{place + 1:,} of {len(ranked):,} in the table"
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
        f"(by chance {card.base_rate:.2f}) · recall {card.recall:.2f} · AUROC {card.auroc:.2f}"
    )


def _says(opened: Opened, card: Card, veil: Veil) -> None:
    if reason := opened.model.sites.limits.get("direct"):
        st.caption(f"Not supported with this model: {reason}.")
        return
    rows = zip(card.promoted, card.suppressed, strict=True)
    said = (
        _SAID.format(visible(veil.token(up)), high, visible(veil.token(down)), low)
        for (up, high), (down, low) in rows
    )
    show(_SAYS.format(Markup("").join(said)))


def _add(opened: Opened, unit: Unit) -> None:
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
            help=explained(opened, operation, unit),
            on_click=add_units,
            args=(opened, [unit], operation, value),
        )
