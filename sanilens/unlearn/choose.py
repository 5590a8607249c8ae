"""Edits of chosen units; where an operation needs a value, the corpus gives it.

mean    the unit's mean activation over the corpus
cap     the 99 % quantile of its activation: what it rarely exceeds stays as it is
clamp   0 unless told otherwise
"""

from collections.abc import Callable, Mapping, Sequence

from sanilens.corpus.records import Record
from sanilens.errors import PlanError
from sanilens.inspect.activations import Activations, activations
from sanilens.model.subject import SubjectModel
from sanilens.model.units import Unit
from sanilens.unlearn.plan import Operation, UnitEdit, operations_of

CAP_QUANTILE = 0.99


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
        case "reset" | "zero" | "bake":
            values = dict.fromkeys(units)
    return tuple(UnitEdit(unit=str(n), operation=operation, value=values[n]) for n in units)
