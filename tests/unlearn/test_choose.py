"""Edits of chosen units: values where the operation needs one, none where it takes none."""

import pytest

from sanilens.corpus.records import Record
from sanilens.inspect.activations import activations
from sanilens.model.subject import SubjectModel
from sanilens.model.units import Neuron
from sanilens.unlearn.choose import choose_edits
from sanilens.unlearn.plan import Operation, operations_of

NEURONS = [Neuron(0, 1), Neuron(2, 3)]


@pytest.mark.parametrize("operation", operations_of(Neuron(0, 0)))
def test_every_operation(
    subject: SubjectModel, records: list[Record], operation: Operation
) -> None:
    edits = choose_edits(subject, records, NEURONS, operation)
    assert [e.target for e in edits] == NEURONS
    assert all((e.value is None) == (operation in ("reset", "zero")) for e in edits)
    if operation == "mean":
        means = activations(subject, records, NEURONS).means()
        assert [e.value for e in edits] == [means[n] for n in NEURONS]
