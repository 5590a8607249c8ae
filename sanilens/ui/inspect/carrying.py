"""Where the selected span is stored: units as a picture, layers by positions, the logit lens."""

import re
from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import streamlit as st
from markupsafe import Markup

from sanilens.case import Case
from sanilens.errors import SaniLensError
from sanilens.inspect.locate.positions import PositionScores, position_scores
from sanilens.inspect.units.logit_lens import LogitLens, logit_lens
from sanilens.model.units import Unit, UnitKind
from sanilens.ui import state
from sanilens.ui.components import folded_rows, grid_rows, picked, unit_grid
from sanilens.ui.components.token_strip import opacity
from sanilens.ui.extracted import signed
from sanilens.ui.inspect.measured import reading
from sanilens.ui.inspect.scores import (
    Ranking,
    Scores,
    noun,
)
from sanilens.ui.inspect.selection import GRID, PLACES, Shown, open_unit, take_unit
from sanilens.ui.inspect.tokens import pieces, visible
from sanilens.ui.layout import card, show_error
from sanilens.ui.localisers.measuring import recall_of
from sanilens.ui.markup import show
from sanilens.ui.masking import mask_record
from sanilens.ui.plan.measured import Edits, controls, hooks_of, key_of
from sanilens.ui.results import results
from sanilens.ui.tables import Cell, Column, Row, table

View = Literal["units", "positions", "logit lens"]
VIEWS: tuple[View, ...] = get_args(View)
_VIEW = "inspect-view"
_WHAT: dict[View, str] = {
    "positions": "sum of |activation × gradient| over a layer's units, at each token",
    "logit lens": "the span's own tokens, as the output head reads them after every layer",
}


@st.fragment
def carrying_card(
    opened: Case, at: Shown, asked: Ranking, scores: Scores | None, unit: Unit | None
) -> None:
    """Draw every unit of the model, every position, or every depth.

    Another picture is drawn alone; a unit picked in it draws the whole page anew.
    """
    take_unit()
    if view() == "positions" and not asked.sae:
        take_place(opened, at, asked.kind)
    if state.selection().unit != (str(unit) if unit else None):
        st.rerun()
    with card():
        with st.container(key="sl-view", horizontal=True, vertical_alignment="center", gap="small"):
            st.segmented_control(
                "Picture",
                VIEWS,
                default=VIEWS[0],
                required=True,
                key=_VIEW,
                label_visibility="collapsed",
                persist_state="session",
            )
            many = scores is not None and scores.targets > 1
            spans = f" · summed over {scores.targets:,} spans" if scores and many else ""
            words = asked.title + spans + _recall(opened, asked)
            words = words if view() == "units" else _WHAT[view()]
            st.caption(words, width="stretch")
        try:
            _picture(opened, at, asked, scores, unit)
        except SaniLensError as error:
            show_error(error)


def _picture(
    opened: Case, at: Shown, asked: Ranking, scores: Scores | None, unit: Unit | None
) -> None:
    match view():
        case "units" if scores:
            values = scores.values.numpy()
            unit_grid(
                folded_rows(values, prefix=f"sae.{scores.sae}")
                if scores.kind == "sae"
                else grid_rows(values, kind=scores.kind),
                selected=str(unit),
                planned=[edit.unit for edit in state.basket()],
                key=GRID,
                noun=noun(scores.kind),
            )
        case "units":
            st.caption("Not scored yet: start it above.")
        case "positions" if asked.sae:
            st.caption(
                "Features belong to a single site. Choose neurons or heads for this picture."
            )
        case "positions":
            positions_view(opened, at, asked.kind)
        case "logit lens":
            lens_view(opened, at)


def _recall(opened: Case, asked: Ranking) -> str:
    # Measured on neurons only: it says nothing about heads and features.
    neurons = asked.kind == "mlp" and not asked.sae
    found = recall_of(opened, asked.method) if neurons else None
    return "" if found is None else f" · recall of injected neurons {found:.2f}, worst case"


def view() -> View:
    """The picture chosen by the switch."""
    return st.session_state.get(_VIEW, VIEWS[0])


_PLACE = "inspect-place"
_PLACE_NAME = re.compile(r"at\.(\d{1,9})\.(\d{1,9})")
_WORDS = ("", "contributes")


def scores_at(opened: Case, at: Shown, kind: UnitKind) -> PositionScores:
    """How much every layer contributes to the selected span at every token."""
    key = ("positions", opened.key, at.span_id, kind)
    return results().get(
        key, lambda: position_scores(opened.model, at.record, at.span_id or "", kind)
    )


def take_place(opened: Case, at: Shown, kind: UnitKind) -> None:
    """After a click in the picture, open the unit that contributes most there."""
    before = _place(at, kind)
    place = picked(PLACES, before, str)
    _set_place(at, kind, place)
    if place is None or place == before:
        return
    found = scores_at(opened, at, kind)
    layers, positions = found.values.shape
    where = _PLACE_NAME.fullmatch(place)  # it comes from the browser
    if where is None or int(where[1]) >= layers or int(where[2]) >= positions:
        _set_place(at, kind, before)
    elif units := found.at(*_parsed(place)):
        open_unit(units[0][0])


def _place(at: Shown, kind: UnitKind) -> str | None:
    # Another span is another picture: a place picked in the last one does not count.
    of, place = st.session_state.get(_PLACE, ((), None))
    return place if of == (at.span_id, kind) else None


def _set_place(at: Shown, kind: UnitKind, place: str | None) -> None:
    st.session_state[_PLACE] = (at.span_id, kind), place


def positions_view(opened: Case, at: Shown, kind: UnitKind) -> None:
    """Draw the picture, and below it the units of the place clicked."""
    found = scores_at(opened, at, kind)
    place = _place(at, kind)
    encoded = reading(opened, at).encoded
    text = mask_record(encoded.record, state.revealed(encoded.record.id))
    tokens = [visible(text[slice(*cut)]) for cut in pieces(encoded)]
    # Nothing after the span can contribute to it: all is 0 there.
    span = encoded.spans[at.index] if at.index is not None else None
    values = found.values[:, : span.end] if span else found.values

    def explained(name: str, score: float) -> Sequence[str]:
        layer, position = _parsed(name)
        units = ", ".join(
            f"{unit} {signed(part, '+.3f')}" for unit, part in found.at(layer, position)[:3]
        )
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
        st.caption("Click a place to open the unit that contributes most there.")
        return
    layer, position = _parsed(place)
    units = found.at(layer, position)
    with st.container(horizontal=True, gap="xsmall", key="sl-place", vertical_alignment="center"):
        what = "" if units else " nothing here contributes to the span."
        st.caption(f"Layer {layer}, token {position}:{what}", width="content")
        for unit, part in units:
            st.button(
                f"{unit} :gray[{signed(part, '+.3f')}]",
                key=f"place-{unit}",
                type="tertiary",
                on_click=open_unit,
                args=(unit,),
            )


def _parsed(name: str) -> tuple[int, int]:
    """`at.3.57`: layer 3, token 57."""
    _, layer, position = name.split(".")
    return int(layer), int(position)


Figure = Literal["rank", "log p"]
_DRAWS = 3
_PAIR = Markup('<div class="sl-lenses">{}</div>')
_FIGURE = Markup('<figure><figcaption>{}</figcaption><div class="sl-scroll">{}</div></figure>')
_LENS_WORDS = Markup('<p class="sl-lens-words"><b>{}</b> {}</p>')
_CONTROL = Markup('<p class="sl-mute">{}</p>')
_LEGEND = Markup(
    '<div class="sl-legend"><span class="sl-ramp"></span><span>how likely the span\'s token is '
    "there</span><span><b>bold</b>: it is the first choice</span></div>"
)


@st.fragment
def lens_view(opened: Case, at: Shown) -> None:
    """Draw from which layer on the span is the answer, then every depth and token."""
    edits = state.basket()
    before = lens(opened, at, ())
    after = lens(opened, at, edits) if edits else None
    said = [_LENS_WORDS.format("Before:", sentence(before))]
    if after:
        said.append(_LENS_WORDS.format(f"With the plan ({len(edits):,} units):", sentence(after)))
        said.append(_CONTROL.format(_control(opened, at, edits)))
    show(Markup("").join(said))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        figure = st.segmented_control(
            "Figure",
            get_args(Figure),
            default="rank",
            required=True,
            key="lens-figure",
            label_visibility="collapsed",
        )
        show(_LEGEND)
    words = span_tokens(opened, at, before)
    drawn = [_table("as it is", before, words, figure or "rank")]
    if after:
        drawn.append(_table("with the plan", after, words, figure or "rank"))
    show(_PAIR.format(Markup("").join(drawn)))
    if not after:
        st.caption("Add units to the plan to see what they change.")


def lens(opened: Case, at: Shown, edits: Edits) -> LogitLens:
    """The selected span at every depth, with the edits as hooks."""
    key = ("lens", key_of(opened, edits), at.span_id)

    def read() -> LogitLens:
        hooks = hooks_of(opened, edits)
        return logit_lens(opened.model, at.record, at.span_id or "", hooks)

    return results().get(key, read)


def sentence(found: LogitLens) -> str:
    """From which depth on the whole span is the model's first choice, in words."""
    count, rows = len(found.positions), found.settled
    if (row := found.answer) is not None:
        whole = "its token is" if count == 1 else f"all {count} tokens are"
        return f"{whole} the first choice from {depth(row)} on."
    said = sum(row is not None for row in rows)
    worst = int(found.ranks[-1].max())
    if count == 1:
        return f"it never becomes the answer; at the end its token has rank {worst:,}."
    return (
        f"it never becomes the answer; at the end {said} of {count} tokens are the first choice, "
        f"and the least likely has rank {worst:,}."
    )


def depth(row: int) -> str:
    """Row 0 is what enters the first layer; row l is what leaves layer l - 1."""
    return "the embedding" if row == 0 else f"layer {row - 1}"


def span_tokens(opened: Case, at: Shown, found: LogitLens) -> list[str]:
    """The span's tokens, masked unless revealed."""
    encoded = reading(opened, at).encoded
    text, places = mask_record(encoded.record, state.revealed(at.record.id)), pieces(encoded)
    return [text[slice(*places[i])].strip().replace("\n", "↵") or "·" for i in found.positions]


def _control(opened: Case, at: Shown, edits: Edits) -> str:
    found = [lens(opened, at, drawn) for drawn in controls(opened, edits, _DRAWS)]
    said = [each.answer for each in found if each.answer is not None]
    words = ", ".join(depth(row) for row in sorted(said))
    return (
        f"Control: with as many random units of the same layers it is still the answer in "
        f"{len(said)} of {_DRAWS} draws" + (f", from {words} on." if said else ".")
    )


def _table(title: str, found: LogitLens, words: Sequence[str], figure: Figure) -> Markup:
    """The last layer on top, as in the picture of the units."""
    tokens = zip(found.positions, words, strict=True)
    columns = [Column(), *(Column(word, "number", f"token {i}") for i, word in tokens)]
    rows = [_row(found, row, figure) for row in reversed(range(len(found.ranks)))]
    return _FIGURE.format(title, table(columns, rows, "lens"))


def _row(found: LogitLens, row: int, figure: Figure) -> Row:
    cells: list[Cell] = []
    for rank, logprob in zip(found.ranks[row], found.logprobs[row], strict=True):
        minus = signed(logprob, ".2f")
        text = f"{rank:,}" if figure == "rank" else minus
        title = f"{depth(row)}: rank {rank:,}, log p {minus} nats"
        first = "sl-first" if rank == 1 else ""
        cells.append(Cell(text, first, title, opacity(float(np.exp(logprob)))))
    return Row(("embedding" if row == 0 else f"layer {row - 1}", *cells))
