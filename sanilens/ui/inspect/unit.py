"""The unit's card: where it fires, what it says, what goes with it, and what is said without it."""

from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup
from streamlit.delta_generator import DeltaGenerator

from sanilens.inspect.card import Card
from sanilens.model.units import Head, Unit
from sanilens.ui import state
from sanilens.ui.inspect import examples
from sanilens.ui.inspect.adding import add_units, choose_operation, explained, remove_unit
from sanilens.ui.inspect.company import fires_on, goes_with
from sanilens.ui.inspect.density import density_chart
from sanilens.ui.inspect.measured import card as measured_card
from sanilens.ui.inspect.picks import open_unit
from sanilens.ui.inspect.sections import section
from sanilens.ui.inspect.tokens import Veil, visible
from sanilens.ui.markup import show
from sanilens.ui.opened import Opened

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
            examples.strongest(opened, card, veil)
        with ranges:
            examples.every_range(opened, card, veil)
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
    if reason := opened.subject.sites.limits.get("direct"):
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
