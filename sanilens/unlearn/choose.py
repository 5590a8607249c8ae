"""Edits of chosen units; where an operation needs a value, the corpus gives it.

mean    the unit's mean activation over the corpus
cap     the 99 % quantile of its activation: what it rarely exceeds stays as it is
clamp   0 unless told otherwise
"""

from collections.abc import Mapping, Sequence

from sanilens.corpus.records import Record
from sanilens.inspect.activations import activation_quantiles, mean_activations
from sanilens.model.subject import SubjectModel
from sanilens.model.units import Neuron
from sanilens.unlearn.plan import Operation, UnitEdit

CAP_QUANTILE = 0.99


def choose_edits(
    subject: SubjectModel,
    records: Sequence[Record],
    neurons: Sequence[Neuron],
    operation: Operation,
) -> tuple[UnitEdit, ...]:
    """One operation on several units; `mean` and `cap` read the corpus once for all of them."""
    values: Mapping[Neuron, float | None]
    match operation:
        case "mean":
            values = mean_activations(subject, records, neurons)
        case "cap":
            values = activation_quantiles(subject, records, neurons, CAP_QUANTILE)
        case "clamp":
            values = dict.fromkeys(neurons, 0.0)
        case _:
            values = dict.fromkeys(neurons)
    return tuple(UnitEdit(unit=str(n), operation=operation, value=values[n]) for n in neurons)
