"""CIR: its loss, what it takes for common, and the step that is left."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sanilens.corpus.records import Record
from sanilens.errors import PlanError
from sanilens.model.align import encode
from sanilens.model.examples import note_examples
from sanilens.model.language_model import LanguageModel
from sanilens.model.training import Schedule, train_
from sanilens.unlearn.methods import METHODS, Task, cir
from sanilens.unlearn.methods.cir import Cir, collapsed, common_basis, common_parts, map_paths
from sanilens.unlearn.methods.method import Prepared

WHOLE = Cir.model_validate({})


def prepared(model: LanguageModel, records: Sequence[Record], **options: Any) -> Prepared:
    return METHODS["cir"].prepare(Task(model, records, seed=3), Cir(**options))


def mlp_outputs(model: LanguageModel, ids: Sequence[int]) -> list[Tensor]:
    """What each layer's MLP adds, with gradients, read alone; by hooks of this test's own."""
    found: list[Tensor] = []
    modules = [model.module.get_submodule(mlp.out) for mlp in model.sites.mlps]

    def keep(_module: nn.Module, _args: object, out: Tensor) -> None:
        found.append(out)

    handles = [module.register_forward_hook(keep) for module in modules]
    model.module(torch.tensor([ids]))
    for handle in handles:
        handle.remove()
    return [out[0] for out in found]


def broken(model: LanguageModel, before: LanguageModel, records: Sequence[Record]) -> Tensor:
    """L of the module's equation, note by note."""
    layers: list[list[tuple[Tensor, Tensor]]] = [[] for _ in model.sites.mlps]
    for own in records:
        encoded = encode(model, own)
        places = [t - 1 for s in encoded.spans for t in range(max(1, s.start), s.end)]
        with torch.no_grad():
            then = mlp_outputs(before, encoded.ids)
        for layer, (now, old) in enumerate(zip(mlp_outputs(model, encoded.ids), then, strict=True)):
            layers[layer] += [(now[t], old[t]) for t in places]
    terms = []
    for pairs in layers:
        length = sum(float(old.norm()) for _, old in pairs) / len(pairs)
        terms.append(
            sum(torch.clamp(now @ old, min=0) / length**2 for now, old in pairs) / len(pairs)
        )
    return sum(terms) / len(terms)  # pyright: ignore[reportReturnType]


@pytest.fixture
def trained(model: LanguageModel) -> LanguageModel:
    """A copy a little off theta0."""
    copy = model.copied()
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in copy.module.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    copy.module.requires_grad_(True)
    return copy


def test_without_collapse_the_step_is_the_gradient_of_the_loss(
    model: LanguageModel, trained: LanguageModel, records: list[Record]
) -> None:
    notes = note_examples(model, records)
    empty = {
        path: cir.Common(
            torch.zeros(own.activations.shape[0], 0), torch.zeros(own.gradients.shape[0], 0)
        )
        for path, own in common_parts(Task(model, records, seed=3), WHOLE, notes).items()
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cir, "common_parts", lambda *_: empty)
        loss = prepared(model, records, budget=10).loss(trained.module, notes)
    expected = broken(trained, model, records)
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-4)
    weights = [trained.module.get_parameter(f"{p}.weight") for p in map_paths(model.sites)]
    true = torch.autograd.grad(expected, weights, retain_graph=True)
    found = torch.autograd.grad(loss, weights)
    length = torch.stack([g.norm() for g in true]).norm()
    assert float(torch.stack([g.norm() for g in found]).norm()) == pytest.approx(1, rel=1e-4)
    for own, other in zip(found, true, strict=True):
        torch.testing.assert_close(own, other / length, rtol=1e-3, atol=1e-5)


def test_what_is_common_is_left_alone(
    model: LanguageModel, trained: LanguageModel, records: list[Record]
) -> None:
    options = {"activations": 3, "gradients": 4, "budget": 10}
    notes = note_examples(model, records)
    common = common_parts(Task(model, records, seed=3), Cir(**options), notes)
    loss = prepared(model, records, **options).loss(trained.module, notes)
    for path in map_paths(model.sites):
        (step,) = torch.autograd.grad(
            loss, trained.module.get_parameter(f"{path}.weight"), retain_graph=True
        )
        own = common[path]
        assert own.activations.shape[1] == 4  # the mean, and three components
        assert own.gradients.shape[1] == 5
        assert step.norm() > 0
        assert float((step @ own.activations).norm()) < 1e-4 * float(step.norm())
        assert float((own.gradients.T @ step).norm()) < 1e-4 * float(step.norm())


def test_the_basis_spans_mean_and_components() -> None:
    rng = torch.Generator().manual_seed(0)
    rows = torch.randn(50, 6, generator=rng) * torch.tensor([9.0, 5, 1, 1, 1, 1]) + 3
    basis = common_basis(rows, 2)
    torch.testing.assert_close(basis.T @ basis, torch.eye(3), atol=1e-5, rtol=0)
    covariance = torch.cov(rows.T)
    first = torch.linalg.eigh(covariance).eigenvectors[:, -2:].T
    for common in (rows.mean(0), *first):
        assert float(collapsed(common[None], basis).norm()) < 1e-4 * float(common.norm())
    # Nothing of a mean of zero, and never more directions than there are.
    assert common_basis(rows - rows.mean(0), 0).shape[1] <= 1
    assert common_basis(torch.zeros(4, 6), 3).shape == (6, 0)
    assert common_basis(rows, 100).shape[1] == 6


def test_a_batch_over_budget_is_left_out(model: LanguageModel, records: list[Record]) -> None:
    worse = model.copied()
    with torch.no_grad():  # the same but for a head that says everything twice as surely
        worse.module.get_parameter(f"{model.sites.unembed}.weight").mul_(2)
    worse.module.requires_grad_(True)
    notes = note_examples(model, records)
    for budget, moves in ((0.0, False), (10.0, True)):
        loss = prepared(model, records, budget=budget).loss(worse.module, notes)
        (step,) = torch.autograd.grad(
            loss, worse.module.get_parameter(f"{model.sites.mlps[0].out}.weight")
        )
        assert bool(step.any()) == moves


def test_training_breaks_what_is_said_before_identifiers(
    any_model: LanguageModel, records: list[Record]
) -> None:
    method = prepared(any_model, records, activations=2, gradients=2, budget=10)
    copy = any_model.copied()
    copy.module.requires_grad_(True)
    schedule = Schedule(0.05, 8, batch_size=3, optimizer="sgd")
    steps = [
        step.loss
        for step, _ in train_(copy.module, method.examples, schedule, 0, loss_of=method.loss)
    ]
    assert steps[-1] < steps[0]
    untouched = {f"{p}.weight" for p in map_paths(any_model.sites)}
    for name, weight in copy.module.named_parameters():
        same = torch.equal(weight, any_model.module.get_parameter(name))
        assert same == (name not in untouched)


def test_where_no_mlp_is_trained_it_says_so(
    model: LanguageModel, trained: LanguageModel, records: list[Record]
) -> None:
    method = prepared(model, records)
    trained.module.requires_grad_(False)
    with pytest.raises(PlanError, match="Train `all`"):
        method.loss(trained.module, method.examples(0))
