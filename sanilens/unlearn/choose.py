"""Units by chance, and edits of chosen units: where one needs a value, the corpus gives it.

mean    the unit's mean activation over the corpus
cap     the 99 % quantile of its activation: what it rarely exceeds stays as it is
clamp   0 unless told otherwise
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from sanilens.corpus.records import Record
from sanilens.errors import PlanError
from sanilens.inspect.activations import Activations, activations
from sanilens.model.sites import Sites
from sanilens.model.subject import SubjectModel
from sanilens.model.units import LayerUnit, Unit, UnitKind, layer_unit
from sanilens.unlearn.plan import Operation, UnitEdit, operations_of

CAP_QUANTILE = 0.99
# SANI's: half of the last layer's units.
SANI_SHARE, SANI_LAYERS = 0.5, 1


def random_share(
    sites: Sites,
    kind: UnitKind,
    share: float = SANI_SHARE,
    last: int | None = SANI_LAYERS,
    seed: int = 0,
) -> tuple[LayerUnit, ...]:
    """SANI's choice: in each of the last layers, a share of the units, drawn at random.

    round(share n) of a layer's n units, at least one, without replacement (Boutet and Magnana,
    arXiv:2510.21322). The paper leaves open what a unit is and whether other layers than the last
    are drawn from: `kind` and `last` are ours to choose. One seed gives one order a layer, so a
    smaller share, or fewer layers, is part of a larger.

    Args:
        sites: the model's.
        kind: neurons or attention heads.
        share: in (0, 1].
        last: how many layers, counted from the last; None for all.
        seed: of the draw.

    Returns:
        the units, the last layer's first.

    Raises:
        PlanError: if share or last are outside of what there is.
    """
    layers = sites.n_layers if last is None else last
    if not 0 < share <= 1:
        raise PlanError(f"a share of {share:g} of the units is not possible: more than 0, up to 1.")
    if not 1 <= layers <= sites.n_layers:
        raise PlanError(
            f"the last {layers} layers are not possible: the model has {sites.n_layers}."
        )
    count = share_count(sites, kind, share)
    return tuple(
        layer_unit(kind, layer, int(index))
        for layer in range(sites.n_layers - 1, sites.n_layers - 1 - layers, -1)
        for index in np.random.default_rng((seed, layer)).permutation(sites.count(kind))[:count]
    )


def share_count(sites: Sites, kind: UnitKind, share: float) -> int:
    """How many units of a layer a share of them is; at least one."""
    return max(1, round(share * sites.count(kind)))


def choose_edits(
    subject: SubjectModel,
    records: Sequence[Record],
    units: Sequence[Unit],
    operation: Operation,
) -> tuple[UnitEdit, ...]:
    """One operation on several units; `mean` and `cap` read the corpus once for all of them.

    Raises:
        PlanError: if the operation does not suit one of the units.
    """
    return edits_with(lambda chosen: activations(subject, records, chosen), units, operation)


def edits_with(
    read: Callable[[Sequence[Unit]], Activations],
    units: Sequence[Unit],
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
    values: Mapping[Unit, float | None]
    match operation:
        case "mean":
            values = {**read(units).means()}
        case "cap":
            values = {**read(units).quantiles(CAP_QUANTILE)}
        case "clamp":
            values = dict.fromkeys(units, value)
        case "reset" | "zero" | "bake" | "refill" | "drop" | "renorm":
            values = dict.fromkeys(units)
    return tuple(UnitEdit(unit=str(n), operation=operation, value=values[n]) for n in units)
