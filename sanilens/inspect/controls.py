"""The random control: as many other units of the same places, for whatever is claimed of a choice.

Every claim that chosen units matter (a what-if, a deletion curve, a run, a benchmark) is held
against this one draw. It never holds a unit of the choice itself: a control that repeats part of
what it controls for makes the difference look smaller than it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from sanilens.model.sites import Sites
from sanilens.model.units import Editable, Feature, ProjectionRow, kind_of

T = TypeVar("T", bound=Editable)
_Place = tuple[str, str, int, str]
"""Family (layer units, features, rows), kind or dictionary, layer, projection."""


def random_like(
    sites: Sites,
    units: Sequence[T],
    seed: int,
    *,
    avoid: Iterable[Editable] | None = None,
    widths: Mapping[str, int] | None = None,
) -> list[T]:
    """As many random units as `units` has at each place, and none of those to avoid.

    A place is a kind of unit in a layer, a linear projection, or a dictionary. One with fewer free
    units than wanted gives what it has.

    Args:
        sites: the model's.
        units: what the draw is to be like.
        seed: of the draw.
        avoid: units that are not drawn; by default `units`.
        widths: how many features or codes each dictionary has, by id.

    Returns:
        units of the same types, place by place.
    """
    taken = {str(unit) for unit in (units if avoid is None else avoid)}
    places: dict[_Place, list[T]] = {}
    for unit in units:
        places.setdefault(_place(unit), []).append(unit)
    drawn: list[T] = []
    # Neurons and heads share one stream of numbers, features one, rows one: what is drawn of one
    # family does not hang on whether the choice holds another.
    streams = {family: np.random.default_rng(seed) for family, *_ in places}
    for place in sorted(places):
        own = places[place]
        every = (_at(own[0], index) for index in range(_count(sites, own[0], widths or {})))
        free = [unit for unit in every if str(unit) not in taken]
        count = min(len({str(unit) for unit in own}), len(free))
        indices = sorted(streams[place[0]].choice(len(free), count, replace=False).tolist())
        drawn += [free[index] for index in indices]
    return drawn


def _place(unit: Editable) -> _Place:
    match unit:
        case Feature():  # codes too
            return "feature", unit.sae, 0, type(unit).__name__
        case ProjectionRow():
            return "row", "", unit.layer, unit.part
        case _:
            return "unit", kind_of(unit), unit.layer, ""


def _count(sites: Sites, unit: Editable, widths: Mapping[str, int]) -> int:
    match unit:
        case Feature():
            return widths[unit.sae]
        case ProjectionRow():
            return sites.linear(unit.layer, unit.part).rows
        case _:
            return sites.count(kind_of(unit))


def _at(unit: T, index: int) -> T:
    """The unit of that index at the same place."""
    return replace(unit, index=index)
