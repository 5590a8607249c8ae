"""Gradient × activation is the derivative it claims to be, over any batching."""

import pytest
import torch

from sanilens.corpus.records import Record
from sanilens.errors import PlanError
from sanilens.inspect import gradient
from sanilens.inspect.ablate import ablate, single_effects
from sanilens.inspect.gradient import Scope, attribute, gradient_activation
from sanilens.inspect.scores import random_like
from sanilens.model.forward import token_logprobs
from sanilens.model.hooks import Hooks
from sanilens.model.interventions import zeroed
from sanilens.model.subject import SubjectModel
from sanilens.model.units import Neuron


def test_scores_are_the_derivative_of_scaling_a_neuron(any_subject: SubjectModel) -> None:
    """d log p / d s at s = 1, where s scales neuron j's activation everywhere."""
    ids = [0, 40, 50, 60, 70, 80]
    places = [(0, 4), (0, 5)]
    scores = attribute(any_subject, [ids], places, [1.0, 1.0])
    row, column = torch.tensor(places).T
    step = 1e-2
    for neuron in (Neuron(0, 3), Neuron(1, 10), Neuron(2, 40)):

        def at(scale: float, neuron: Neuron = neuron) -> float:
            def edit(x: torch.Tensor) -> torch.Tensor:
                x = x.clone()
                x[..., neuron.index] *= scale
                return x

            hooks = Hooks({any_subject.sites.mlps[neuron.layer].out: edit})
            return float(token_logprobs(any_subject, torch.tensor([ids]), row, column, hooks).sum())

        slope = (at(1 + step) - at(1 - step)) / (2 * step)
        assert float(scores[neuron.layer, neuron.index]) == pytest.approx(slope, rel=0.05, abs=2e-3)


def test_batching_does_not_change_scores(
    subject: SubjectModel, records: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = gradient_activation(subject, records, contrast=False)
    monkeypatch.setattr(gradient, "token_budget", lambda _subject: 1)
    single = gradient_activation(subject, records, contrast=False)
    assert torch.allclose(whole.values, single.values, atol=1e-3)
    assert whole.targets == single.targets == sum(len(r.spans) for r in records)


def test_scope_narrows_the_targets(subject: SubjectModel, records: list[Record]) -> None:
    one = records[0].span_id(records[0].spans[0])
    assert gradient_activation(subject, records, Scope(spans=frozenset({one}))).targets == 1
    assert gradient_activation(subject, records, Scope(labels=frozenset({"PHONE"}))).targets == 1
    assert gradient_activation(subject, records, Scope(subjects=frozenset({"s-3"}))).targets == 2
    with pytest.raises(PlanError, match="no span is in scope"):
        gradient_activation(subject, records, Scope(labels=frozenset({"NOTHING"})))


def test_the_model_is_left_as_it_was(subject: SubjectModel, records: list[Record]) -> None:
    before = {n: p.clone() for n, p in subject.model.named_parameters()}
    gradient_activation(subject, records)
    assert all(torch.equal(before[n], p) for n, p in subject.model.named_parameters())
    assert not any(p.requires_grad or p.grad is not None for p in subject.model.parameters())


def test_single_effects_equal_ablating_one_by_one(
    any_subject: SubjectModel, records: list[Record]
) -> None:
    record = records[0]
    neurons = [Neuron(0, 1), Neuron(2, 30), Neuron(1, 47)]
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


def test_random_control_has_as_many_units_in_each_layer() -> None:
    units = [Neuron(0, 1), Neuron(0, 2), Neuron(2, 5)]
    for seed in range(5):
        drawn = random_like(units, 48, seed)
        assert sorted(n.layer for n in drawn) == [0, 0, 2]
        assert not set(drawn) & set(units)
    assert random_like(units, 48, 0) == random_like(units, 48, 0)
    assert random_like(units, 48, 0) != random_like(units, 48, 1)
