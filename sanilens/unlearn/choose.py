"""Units by chance, and edits of chosen units: where one needs a value, the corpus gives it.

mean    the unit's mean activation over the corpus
cap     the 99 % quantile of its activation: what it rarely exceeds stays as it is
clamp   0 unless told otherwise
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, overload

import numpy as np

from sanilens.corpus.records import Record
from sanilens.errors import PlanError
from sanilens.inspect.activations import Activations, activations
from sanilens.inspect.scores import UnitScores
from sanilens.model.sites import Sites
from sanilens.model.subject import SubjectModel
from sanilens.model.units import LayerUnit, Row, Target, Unit, UnitKind, layer_unit
from sanilens.unlearn.plan import Operation, UnitEdit, operations_of

CAP_QUANTILE = 0.99
# SANI's: half of the last layer's units.
SANI_SHARE, SANI_LAYERS = 0.5, 1


ShareKind = Literal["mlp", "head", "row"]
"""What is drawn from: neurons, attention heads, or the rows of every linear projection."""


@overload
def random_share(
    sites: Sites, kind: UnitKind, share: float = ..., last: int | None = ..., seed: int = ...
) -> tuple[LayerUnit, ...]: ...
@overload
def random_share(
    sites: Sites, kind: ShareKind, share: float = ..., last: int | None = ..., seed: int = ...
) -> tuple[LayerUnit | Row, ...]: ...
def random_share(
    sites: Sites,
    kind: ShareKind,
    share: float = SANI_SHARE,
    last: int | None = SANI_LAYERS,
    seed: int = 0,
) -> tuple[LayerUnit | Row, ...]:
    """SANI's choice: in each of the last layers, a share of the units, drawn at random.

    round(share n) of a layer's n units, at least one, without replacement (Boutet and Magnana,
    arXiv:2510.21322). The paper leaves open what a unit is and whether other layers than the last
    are drawn from: `kind` and `last` are ours to choose. Of rows, it is the share of each linear
    projection. One seed gives one order a layer, so a smaller share, or fewer layers, is part of a
    larger.

    Args:
        sites: the model's.
        kind: neurons, attention heads, or rows of every linear projection.
        share: in (0, 1].
        last: how many layers, counted from the last; None for all.
        seed: of the draw.

    Returns:
        the units, the last layer's first.

    Raises:
        PlanError: if share or last are outside of what there is.
    """
    units: list[LayerUnit | Row] = []
    for layer in last_layers(sites, last):
        rng = np.random.default_rng((seed, layer))
        for part, count in _groups(sites, layer, kind).items():
            drawn = rng.permutation(count)[: _part(share, count)].tolist()
            units += [
                Row(layer, part, i) if kind == "row" else layer_unit(kind, layer, i) for i in drawn
            ]
    return tuple(units)


def located_share(
    sites: Sites, scores: UnitScores, share: float = SANI_SHARE, last: int | None = SANI_LAYERS
) -> tuple[LayerUnit, ...]:
    """The targeted choice: in each of the last layers, the share that a localiser scores highest.

    Raises:
        PlanError: if share or last are outside of what there is.
    """
    count = _part(share, scores.values.shape[1])
    return tuple(
        layer_unit(scores.kind, layer, index)
        for layer in last_layers(sites, last)
        for index in scores.values[layer].argsort(descending=True, stable=True)[:count].tolist()
    )


def last_layers(sites: Sites, last: int | None) -> range:
    """The last layers, the very last first; None for all.

    Raises:
        PlanError: if the model has fewer.
    """
    layers = sites.n_layers if last is None else last
    if not 1 <= layers <= sites.n_layers:
        raise PlanError(
            f"the last {layers} layers are not possible: the model has {sites.n_layers}."
        )
    return range(sites.n_layers - 1, sites.n_layers - 1 - layers, -1)


def share_count(sites: Sites, kind: ShareKind, share: float) -> int:
    """How many units of a layer a share of them is; at least one, of rows one of each linear."""
    return sum(_part(share, n) for n in _groups(sites, sites.n_layers - 1, kind).values())


def _groups(sites: Sites, layer: int, kind: ShareKind) -> dict[str, int]:
    """What is drawn from apart, and how many units each has."""
    if kind == "row":
        return {site.part: site.rows for site in sites.linears[layer]}
    return {kind: sites.count(kind)}


def _part(share: float, count: int) -> int:
    if not 0 < share <= 1:
        raise PlanError(f"a share of {share:g} of the units is not possible: more than 0, up to 1.")
    return max(1, round(share * count))


def choose_edits(
    subject: SubjectModel,
    records: Sequence[Record],
    units: Sequence[Target],
    operation: Operation,
) -> tuple[UnitEdit, ...]:
    """One operation on several units; `mean` and `cap` read the corpus once for all of them.

    Raises:
        PlanError: if the operation does not suit one of the units.
    """
    return edits_with(lambda chosen: activations(subject, records, chosen), units, operation)


def edits_with(
    read: Callable[[Sequence[Unit]], Activations],
    units: Sequence[Target],
    operation: Operation,
    value: float = 0.0,
) -> tuple[UnitEdit, ...]:
    """The same from activations that `read` gives, which is asked only if they are needed.

    Args:
        read: gives the activations of some units over a corpus or a sample of it.
        units: the units.
        operation: what to do with them.
        value: of a clamp.

    Raises:
        PlanError: if the operation does not suit one of the units.
    """
    for unit in units:
        if operation not in (possible := operations_of(unit)):
            raise PlanError(
                f"{unit} cannot be edited by {operation}, only by {', '.join(possible)}."
            )
    own = [unit for unit in units if not isinstance(unit, Row)]  # of which nothing is read
    values: Mapping[Target, float | None]
    match operation:
        case "mean":
            values = {**read(own).means()}
        case "cap":
            values = {**read(own).quantiles(CAP_QUANTILE)}
        case "clamp":
            values = dict.fromkeys(units, value)
        case "reset" | "initialise" | "zero" | "bake" | "refill" | "drop" | "renorm":
            values = dict.fromkeys(units)
    return tuple(UnitEdit(unit=str(n), operation=operation, value=values[n]) for n in units)
