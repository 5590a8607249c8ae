"""Dose and response: a plan's first k edits, and as many of random units, at growing k."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sanilens.inspect.units.readers import NO_SAES
from sanilens.model.sites import Sites
from sanilens.model.units import Feature, Row, Target, kind_of, layer_unit
from sanilens.unlearn.edits import Dictionaries
from sanilens.unlearn.plan import UnitEdit


def dose_grid(units: int, points: int = 9) -> tuple[int, ...]:
    """At most `points` doses from 0 to `units`, k_i = units (i / (points - 1))^2: denser where a
    ranking's strongest units come in."""
    last = max(1, points - 1)
    return tuple(sorted({round(units * (i / last) ** 2) for i in range(last + 1)}))


def random_edits(
    sites: Sites, edits: Sequence[UnitEdit], seed: int, saes: Dictionaries = NO_SAES
) -> tuple[UnitEdit, ...]:
    """The control: each edit at a random unit of the same kind and layer, or autoencoder.

    Drawn from all units there, each at most once. One seed gives one order, so the first k of a
    plan's control are the control of its first k.
    """
    rng = np.random.default_rng(seed)
    orders: dict[str, list[int]] = {}
    moved: list[UnitEdit] = []
    for edit in edits:
        place, _, _ = edit.unit.rpartition(".")
        if place not in orders:
            orders[place] = rng.permutation(_count(sites, edit.target, saes)).tolist()
        unit = _other(edit.target, orders[place].pop())
        moved.append(edit.model_copy(update={"unit": str(unit)}))
    return tuple(moved)


def _count(sites: Sites, unit: Target, saes: Dictionaries) -> int:
    if isinstance(unit, Row):
        return sites.linear(unit.layer, unit.part).rows
    return saes[unit.sae].width if isinstance(unit, Feature) else sites.count(kind_of(unit))


def _other(unit: Target, index: int) -> Target:
    if isinstance(unit, Feature | Row):
        return replace(unit, index=index)
    return layer_unit(kind_of(unit), unit.layer, index)
