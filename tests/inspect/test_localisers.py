"""Gradient × activation is the derivative it claims to be, over any batching."""

import pytest
import torch

from sanilens.corpus.records import Record
from sanilens.errors import PlanError
from sanilens.inspect import targets as targets_module
from sanilens.inspect.ablate import ablate, single_effects
from sanilens.inspect.localisers import Settings, find_localiser
from sanilens.inspect.localisers.captured import per_unit, target_logprob, with_gradients
from sanilens.inspect.scores import UnitScores, random_like
from sanilens.inspect.targets import Scope, TargetBatch, find_targets
from sanilens.model.forward import token_logprobs
from sanilens.model.hooks import Hooks
from sanilens.model.interventions import zeroed
from sanilens.model.subject import SubjectModel
from sanilens.model.units import Head, LayerUnit, Neuron, kind_of


def plain(subject: SubjectModel, records: list[Record], scope: Scope | None = None) -> UnitScores:
    targets = find_targets(subject, records, scope)
    return find_localiser("gradient-activation-plain").score(targets, Settings())


@pytest.mark.parametrize("units", [
    (Neuron(0, 3), Neuron(1, 10), Neuron(2, 40)),
    (Head(0, 3), Head(1, 0), Head(2, 2)),
])  # fmt: skip
def test_scores_are_the_derivative_of_scaling_a_unit(
    any_subject: SubjectModel, units: tuple[LayerUnit, ...]
) -> None:
    """d log p / d s at s = 1, where s scales the unit's value everywhere."""
    ids, sites, kind = [0, 40, 50, 60, 70, 80], any_subject.sites, kind_of(units[0])
    row, column = torch.tensor([(0, 4), (0, 5)]).T
    batch = TargetBatch(torch.tensor([ids]), row, column, 2, torch.zeros(2, dtype=torch.long))
    captured = with_gradients(any_subject, batch, kind, target_logprob(batch))
    step = 1e-2
    for unit in units:

        def at(scale: float, unit: LayerUnit = unit) -> float:
            def edit(x: torch.Tensor) -> torch.Tensor:
                x = x.clone()
                x[..., sites.columns(kind, [unit.index])] *= scale
                return x

            hooks = Hooks({sites.outs(kind)[unit.layer]: edit})
            return float(token_logprobs(any_subject, torch.tensor([ids]), row, column, hooks).sum())

        slope = (at(1 + step) - at(1 - step)) / (2 * step)
        a, g = captured[unit.layer]
        found = per_unit((a * g).sum((0, 1)), sites.size(kind))[unit.index]
        assert float(found) == pytest.approx(slope, rel=0.05, abs=2e-3)


def test_batching_does_not_change_scores(
    subject: SubjectModel, records: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = plain(subject, records)
    monkeypatch.setattr(targets_module, "token_budget", lambda _subject: 1)
    single = plain(subject, records)
    assert torch.allclose(whole.values, single.values, atol=1e-3)
    assert whole.targets == single.targets == sum(len(r.spans) for r in records)


def test_scope_narrows_the_targets(subject: SubjectModel, records: list[Record]) -> None:
    one = records[0].span_id(records[0].spans[0])
    assert plain(subject, records, Scope(spans=frozenset({one}))).targets == 1
    assert plain(subject, records, Scope(labels=frozenset({"PHONE"}))).targets == 1
    assert plain(subject, records, Scope(subjects=frozenset({"s-3"}))).targets == 2
    with pytest.raises(PlanError, match="no span is in scope"):
        plain(subject, records, Scope(labels=frozenset({"NOTHING"})))


def test_the_model_is_left_as_it_was(subject: SubjectModel, records: list[Record]) -> None:
    before = {n: p.clone() for n, p in subject.model.named_parameters()}
    for kind in ("mlp", "head"):
        targets = find_targets(subject, records)
        find_localiser("gradient-activation").score(targets, Settings(kind))
    assert all(torch.equal(before[n], p) for n, p in subject.model.named_parameters())
    assert not any(p.requires_grad or p.grad is not None for p in subject.model.parameters())


def test_single_effects_equal_ablating_one_by_one(
    any_subject: SubjectModel, records: list[Record]
) -> None:
    record = records[0]
    neurons: list[LayerUnit] = [Neuron(0, 1), Neuron(2, 30), Head(1, 2), Neuron(1, 47)]
    span_id = record.span_id(record.spans[1])
    found = single_effects(any_subject, record, span_id, neurons)
    scope = Scope(spans=frozenset({span_id}))
    for neuron, change in zip(neurons, found, strict=True):
        exact = ablate(any_subject, zeroed(any_subject, [neuron]), [record], scope, records[1:])
        assert change == pytest.approx(
            exact.target_logprob.after - exact.target_logprob.before, abs=1e-3
        )


def test_ablation_of_nothing_changes_nothing(subject: SubjectModel, records: list[Record]) -> None:
    found = ablate(subject, Hooks(), records, Scope(labels=frozenset({"MRN"})), records)
    assert found.targets[0] == found.targets[1]
    assert found.neutral.before == found.neutral.after
    assert found.targets[0].n == 1
    assert found.others[0].n + 1 == len([s for r in records for s in r.spans]) - 0


def test_random_control_has_as_many_units_of_each_kind_and_layer(subject: SubjectModel) -> None:
    units = [Neuron(0, 1), Neuron(0, 2), Neuron(2, 5), Head(1, 3)]
    for seed in range(5):
        drawn = random_like(subject.sites, units, seed)
        assert sorted((kind_of(n), n.layer) for n in drawn) == sorted(
            (kind_of(n), n.layer) for n in units
        )
        assert not set(drawn) & set(units)
    assert random_like(subject.sites, units, 0) == random_like(subject.sites, units, 0)
    assert random_like(subject.sites, units, 0) != random_like(subject.sites, units, 1)
