"""Units by chance are a share of each layer; edits have values where the operation needs one."""

from collections import Counter

import pytest

from sanilens.corpus.records import Record
from sanilens.errors import PlanError
from sanilens.inspect.units.activations import activations
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import Neuron, UnitKind, kind_of
from sanilens.unlearn.choose import choose_edits, random_share, share_count
from sanilens.unlearn.plan import Operation, operations_of

NEURONS = [Neuron(0, 1), Neuron(2, 3)]


@pytest.mark.parametrize("operation", operations_of(Neuron(0, 0)))
def test_every_operation(model: LanguageModel, records: list[Record], operation: Operation) -> None:
    edits = choose_edits(model, records, NEURONS, operation)
    assert [e.parsed for e in edits] == NEURONS
    assert all(
        (e.value is None) == (operation in ("reset", "initialise", "zero", "rewrite"))
        for e in edits
    )
    if operation == "mean":
        means = activations(model, records, NEURONS).means()
        assert [e.value for e in edits] == [means[n] for n in NEURONS]


@pytest.mark.parametrize("kind", ["mlp", "head"])
@pytest.mark.parametrize("last", [1, 2, None])
def test_a_random_share_of_each_of_the_last_layers(
    any_model: LanguageModel, kind: UnitKind, last: int | None
) -> None:
    sites = any_model.sites
    units = random_share(sites, kind, 0.5, last)
    layers = range(sites.n_layers)[-(last or sites.n_layers) :]
    each = share_count(sites, kind, 0.5)
    assert each == max(1, round(sites.count(kind) / 2))
    assert Counter(unit.layer for unit in units) == dict.fromkeys(layers, each)
    assert len(set(units)) == len(units)
    assert {kind_of(unit) for unit in units} == {kind}
    sites.check(units, "it")
    assert units[0].layer == sites.n_layers - 1


def test_a_smaller_share_is_part_of_a_larger(model: LanguageModel) -> None:
    def drawn(share: float, last: int | None = 1, seed: int = 3) -> set:
        return set(random_share(model.sites, "mlp", share, last, seed))

    assert drawn(0.1) < drawn(0.5) < drawn(0.5, 2) < drawn(0.5, None) < drawn(1.0, None)
    assert drawn(0.5) != drawn(0.5, seed=4)
    assert len(drawn(1e-6)) == 1
    assert len(drawn(1.0)) == model.sites.d_mlp


@pytest.mark.parametrize(
    ("share", "last", "message"),
    [(0.0, 1, "a share of 0"), (1.5, 1, "a share of 1.5"), (0.5, 0, "last 0"), (0.5, 9, "has 3")],
)
def test_what_there_is_not_is_refused(
    model: LanguageModel, share: float, last: int, message: str
) -> None:
    with pytest.raises(PlanError, match=message):
        random_share(model.sites, "mlp", share, last)
