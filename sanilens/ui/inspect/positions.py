"""Layers by positions: where in the record the selected span is carried; a click opens a unit."""

import re
from collections.abc import Sequence

import streamlit as st

from sanilens.inspect.positions import PositionScores, position_scores
from sanilens.model.units import UnitKind
from sanilens.ui.components import grid_rows, picked, unit_grid
from sanilens.ui.inspect.measured import reading
from sanilens.ui.inspect.picks import PLACES, open_unit
from sanilens.ui.inspect.shown import Shown
from sanilens.ui.inspect.tokens import pieces, visible
from sanilens.ui.masking import mask_record
from sanilens.ui.opened import Opened
from sanilens.ui.results import results

_PLACE = "inspect-place"
_PLACE_NAME = re.compile(r"at\.(\d{1,9})\.(\d{1,9})")
_WORDS = ("", "passes here")


def scores_at(opened: Opened, at: Shown, kind: UnitKind) -> PositionScores:
    """What passes at every layer and token towards the selected span."""
    key = ("positions", opened.key, at.span_id, kind)
    return results().get(
        key, lambda: position_scores(opened.subject, at.record, at.span_id or "", kind)
    )


def take_place(opened: Opened, at: Shown, kind: UnitKind) -> None:
    """A click in the picture opens the unit that does most there."""
    # Another span is another picture: what was picked in the last one does not count here.
    here = (at.span_id, kind)
    old = st.session_state.get(_PLACE, ((), None))
    before = old[1] if old[0] == here else None
    place = picked(PLACES, before, str)
    st.session_state[_PLACE] = (here, place)
    if place is None or place == before:
        return
    found = scores_at(opened, at, kind)
    layers, positions = found.values.shape
    where = _PLACE_NAME.fullmatch(place)  # it comes from the browser
    if where is None or int(where[1]) >= layers or int(where[2]) >= positions:
        st.session_state[_PLACE] = (here, before)
    elif units := found.at(*_parsed(place)):
        open_unit(units[0][0])


def positions_view(opened: Opened, at: Shown, kind: UnitKind, revealed: bool) -> None:
    """Draw the picture, and below it the units of the chosen place."""
    found = scores_at(opened, at, kind)
    place: str | None = st.session_state.get(_PLACE, ((), None))[1]
    encoded = reading(opened, at).encoded
    text = mask_record(encoded.record, revealed)
    tokens = [visible(text[slice(*cut)]) for cut in pieces(encoded)]
    # The span cannot look past its own end: all is 0 there.
    span = encoded.spans[at.index] if at.index is not None else None
    values = found.values[:, : span.end] if span else found.values

    def explained(name: str, score: float) -> Sequence[str]:
        layer, position = _parsed(name)
        units = ", ".join(f"{unit} {_signed(part)}" for unit, part in found.at(layer, position)[:3])
        return tokens[position], f"layer {layer}, token {position}", f"{score:.3g} nats", units

    unit_grid(
        grid_rows(values.numpy(), kind="at"),
        selected=place,
        key=PLACES,
        noun="tokens",
        words=_WORDS,
        explain=explained,
        bracket=(span.start, span.end) if span else None,
    )
    if place is None:
        st.caption("Click a place: the unit that does most there opens.")
        return
    layer, position = _parsed(place)
    units = found.at(layer, position)
    with st.container(horizontal=True, gap="xsmall", key="sl-place", vertical_alignment="center"):
        what = "" if units else " nothing that reaches the span passes here."
        st.caption(f"Layer {layer}, token {position}:{what}", width="content")
        for unit, part in units:
            st.button(
                f"{unit} :gray[{_signed(part)}]",
                key=f"place-{unit}",
                type="tertiary",
                on_click=open_unit,
                args=(unit,),
            )


def _parsed(name: str) -> tuple[int, int]:
    """`at.3.57`: layer 3, token 57."""
    _, layer, position = name.split(".")
    return int(layer), int(position)


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")
