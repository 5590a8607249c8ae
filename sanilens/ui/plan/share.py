"""SANI's choice of units: a share of the last layers, at random or by a localiser."""

from collections.abc import Mapping, Sequence

import streamlit as st

from sanilens.corpus.subjects import in_scope
from sanilens.errors import SaniLensError
from sanilens.inspect.localisers import LOCALISERS, Settings, find_localiser
from sanilens.inspect.scores import UnitScores
from sanilens.inspect.targets import find_targets
from sanilens.model.units import Target, UnitKind
from sanilens.ui import state
from sanilens.ui.layout import show_error
from sanilens.ui.opened import Opened
from sanilens.ui.progress import progress_bar
from sanilens.ui.results import results
from sanilens.unlearn.choose import (
    SANI_LAYERS,
    SANI_SHARE,
    ShareKind,
    located_share,
    random_share,
    share_count,
)
from sanilens.unlearn.plan import Operation, UnitEdit

_KINDS: Mapping[ShareKind, str] = {
    "mlp": "MLP neurons",
    "head": "Attention heads",
    "row": "Rows of linears",
}
_LAST, _SOME, _ALL = "Last layer", "Last layers", "All layers"
_RANDOM, _LOCATED = "At random", "By a localiser"
_OPERATIONS: tuple[Operation, ...] = ("reset", "initialise", "zero")


def share_popover(opened: Opened, meaning: Mapping[Operation, str]) -> None:
    """Draw the choice, and the button that makes it the plan's units."""
    sites = opened.subject.sites
    with st.popover("Share of layers…"):
        st.markdown(
            "A share of the last layers' units, at random as SANI does, or by what they do."
        )
        kind: ShareKind = st.segmented_control(
            "Units",
            list(_KINDS),
            default="mlp",
            required=True,
            format_func=lambda each: _KINDS[each],
            key="share-kind",
            help="A row is one output of a linear projection, its weights and its bias.",
        )
        localiser = _choice(opened, kind)
        layers = _layers(sites.n_layers)
        left, right = st.columns(2)
        percent = left.number_input(
            "Share of a layer, %", 0.01, 100.0, 100 * SANI_SHARE, format="%g", key="share-percent"
        )
        seed = right.number_input("Seed", 0, 2**31 - 1, state.run_options().seed, key="share-seed")
        operation = st.radio(
            "Operation",
            _OPERATIONS,
            captions=[meaning[each] for each in _OPERATIONS],
            key="share-operation",
        )
        share = round(percent / 100, 6)
        count = layers * share_count(sites, kind, share)
        taken = st.button(
            f"Take these {count:,} " + ("rows" if kind == "row" else "units"),
            key="share-take",
            type="primary",
            help="They replace the units of the plan; Undo brings those back.",
        )
    if not taken:
        return
    try:
        if localiser and kind != "row":
            scores = _scores(opened, kind, localiser, int(seed))
            units: Sequence[Target] = located_share(sites, scores, share, layers)
        else:
            units = random_share(sites, kind, share, layers, int(seed))
    except SaniLensError as error:
        show_error(error)
        return
    state.set_basket(tuple(UnitEdit(unit=str(unit), operation=operation) for unit in units))
    st.rerun()


def _choice(opened: Opened, kind: ShareKind) -> str | None:
    """The localiser's name; None for a random draw."""
    if kind == "row" or opened.subject.kind == "masked":
        return None
    how = st.segmented_control(
        "Chosen", [_RANDOM, _LOCATED], default=_RANDOM, required=True, key="share-how"
    )
    if how == _RANDOM:
        return None
    names = [name for name in LOCALISERS if name != "random"]
    return st.selectbox("Localiser", names, key="share-localiser")


def _layers(every: int) -> int:
    where = st.segmented_control(
        "Layers", [_LAST, _SOME, _ALL], default=_LAST, required=True, key="share-layers"
    )
    layers = {_LAST: SANI_LAYERS, _ALL: every}.get(where, min(2, every))
    if where == _SOME:
        layers = int(st.number_input("How many", 1, every, layers, key="share-last"))
    return layers


def _scores(opened: Opened, kind: UnitKind, localiser: str, seed: int) -> UnitScores:
    whose = state.subjects()

    def score() -> UnitScores:
        with progress_bar(f"Scoring every unit by {localiser}", "batches") as progress:
            records = in_scope(opened.corpus.records, whose)
            targets = find_targets(opened.subject, records)
            return find_localiser(localiser).score(targets, Settings(kind, seed, progress))

    return results().get(("share-scores", opened.key, whose, kind, localiser, seed), score)
