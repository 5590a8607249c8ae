"""SANI's choice of units: a share of the last layers, at random."""

from collections.abc import Mapping

import streamlit as st

from sanilens.model.units import UnitKind
from sanilens.ui import state
from sanilens.ui.opened import Opened
from sanilens.unlearn.choose import SANI_LAYERS, SANI_SHARE, random_share, share_count
from sanilens.unlearn.plan import Operation, UnitEdit

_KINDS: Mapping[UnitKind, str] = {"mlp": "MLP neurons", "head": "Attention heads"}
_LAST, _SOME, _ALL = "Last layer", "Last layers", "All layers"


def share_popover(opened: Opened, meaning: Mapping[Operation, str]) -> None:
    """Draw the choice, and the button that makes it the plan's units."""
    sites, every = opened.subject.sites, opened.subject.sites.n_layers
    with st.popover("Random share…"):
        st.markdown("Units drawn at random, as SANI does: what they carry is not asked.")
        kind: UnitKind = st.segmented_control(
            "Units",
            list(_KINDS),
            default="mlp",
            required=True,
            format_func=lambda each: _KINDS[each],
            key="share-kind",
        )
        where = st.segmented_control(
            "Layers", [_LAST, _SOME, _ALL], default=_LAST, required=True, key="share-layers"
        )
        layers = {_LAST: SANI_LAYERS, _ALL: every}.get(where, min(2, every))
        if where == _SOME:
            layers = int(st.number_input("How many", 1, every, layers, key="share-last"))
        left, right = st.columns(2)
        percent = left.number_input(
            "Share of a layer, %", 0.01, 100.0, 100 * SANI_SHARE, format="%g", key="share-percent"
        )
        seed = right.number_input("Seed", 0, 2**31 - 1, state.run_options().seed, key="share-seed")
        operations: tuple[Operation, ...] = ("reset", "zero")
        operation = st.radio(
            "Operation",
            operations,
            captions=[meaning[each] for each in operations],
            key="share-operation",
        )
        share = round(percent / 100, 6)
        count = layers * share_count(sites, kind, share)
        st.button(
            f"Take these {count:,} units",
            key="share-take",
            type="primary",
            on_click=_take,
            args=(opened, kind, share, layers, int(seed), operation),
            help="They replace the units of the plan; Undo brings those back.",
        )


def _take(
    opened: Opened, kind: UnitKind, share: float, last: int, seed: int, operation: Operation
) -> None:
    units = random_share(opened.subject.sites, kind, share, last, seed)
    state.set_basket(tuple(UnitEdit(unit=str(unit), operation=operation) for unit in units))
