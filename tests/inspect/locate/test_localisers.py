"""Gradient × activation is the derivative it claims to be, over any batching."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from sanilens.audit import targets as targets_module
from sanilens.audit.measurement import measure_both
from sanilens.audit.metrics.metric import Exam
from sanilens.audit.targets import Scope, TargetBatch, Targets, find_targets
from sanilens.corpus.records import Record, Span
from sanilens.errors import PlanError
from sanilens.inspect.controls import random_like
from sanilens.inspect.locate.localisers import LOCALISERS, Settings, find_localiser
from sanilens.inspect.locate.localisers import balanced_subnet as balanced
from sanilens.inspect.locate.localisers.balanced_subnet import (
    BalancedSubnet,
    balanced_subnet,
    first_scores,
    kept_mask,
)
from sanilens.inspect.locate.localisers.captured import (
    at_targets,
    per_unit,
    target_logprob,
    with_gradients,
)
from sanilens.inspect.locate.localisers.hard_concrete import HardConcrete, hard_concrete
from sanilens.inspect.locate.localisers.relp import relevance_rules
from sanilens.inspect.locate.localisers.slimming import Slimming, slimming
from sanilens.inspect.locate.scores import UnitScores
from sanilens.inspect.units.ablation import single_effects
from sanilens.model.align import encode
from sanilens.model.forward import logits_at, token_logprobs
from sanilens.model.hooks import Hooks, hooked
from sanilens.model.interventions import zeroed
from sanilens.model.language_model import LanguageModel
from sanilens.model.parameters import unit_parameters, write_weights
from sanilens.model.units import Head, LayerUnit, Neuron, UnitKind, kind_of


def plain(model: LanguageModel, records: list[Record], scope: Scope | None = None) -> UnitScores:
    targets = find_targets(model, records, scope)
    return find_localiser("gradient-activation-plain").score(targets, Settings())


@pytest.mark.parametrize("units", [
    (Neuron(0, 3), Neuron(1, 10), Neuron(2, 40)),
    (Head(0, 3), Head(1, 0), Head(2, 2)),
])  # fmt: skip
def test_scores_are_the_derivative_of_scaling_a_unit(
    any_model: LanguageModel, units: tuple[LayerUnit, ...]
) -> None:
    """d log p / d s at s = 1, where s scales the unit's value everywhere."""
    ids, sites, kind = [0, 40, 50, 60, 70, 80], any_model.sites, kind_of(units[0])
    row, column = torch.tensor([(0, 4), (0, 5)]).T
    batch = TargetBatch(torch.tensor([ids]), row, column, 2, torch.zeros(2, dtype=torch.long))
    captured = with_gradients(any_model, batch, kind, target_logprob(batch))
    step = 1e-2
    for unit in units:

        def at(scale: float, unit: LayerUnit = unit) -> float:
            def edit(x: torch.Tensor) -> torch.Tensor:
                x = x.clone()
                x[..., sites.columns(kind, [unit.index])] *= scale
                return x

            hooks = Hooks({sites.outs(kind)[unit.layer]: edit})
            return float(token_logprobs(any_model, torch.tensor([ids]), row, column, hooks).sum())

        slope = (at(1 + step) - at(1 - step)) / (2 * step)
        a, g = captured[unit.layer]
        found = per_unit((a * g).sum((0, 1)), sites.size(kind))[unit.index]
        assert float(found) == pytest.approx(slope, rel=0.05, abs=2e-3)


def test_batching_does_not_change_scores(
    model: LanguageModel, records: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = plain(model, records)
    monkeypatch.setattr(targets_module, "token_budget", lambda _subject: 1)
    single = plain(model, records)
    assert torch.allclose(whole.values, single.values, atol=1e-3)
    assert whole.targets == single.targets == sum(len(r.spans) for r in records)


def test_scope_narrows_the_targets(model: LanguageModel, records: list[Record]) -> None:
    one = records[0].span_id(records[0].spans[0])
    assert plain(model, records, Scope(spans=frozenset({one}))).targets == 1
    assert plain(model, records, Scope(labels=frozenset({"PHONE"}))).targets == 1
    assert plain(model, records, Scope(subjects=frozenset({"s-3"}))).targets == 2
    with pytest.raises(PlanError, match="no span is in scope"):
        plain(model, records, Scope(labels=frozenset({"NOTHING"})))


def test_the_model_is_left_as_it_was(model: LanguageModel, records: list[Record]) -> None:
    before = {n: p.clone() for n, p in model.module.named_parameters()}
    for kind in ("mlp", "head"):
        targets = find_targets(model, records)
        find_localiser("gradient-activation").score(targets, Settings(kind))
    assert all(torch.equal(before[n], p) for n, p in model.module.named_parameters())
    assert not any(p.requires_grad or p.grad is not None for p in model.module.parameters())


def test_single_effects_equal_ablating_one_by_one(
    any_model: LanguageModel, records: list[Record]
) -> None:
    record = records[0]
    neurons: list[LayerUnit] = [Neuron(0, 1), Neuron(2, 30), Head(1, 2), Neuron(1, 47)]
    span_id = record.span_id(record.spans[1])
    found = single_effects(any_model, record, span_id, neurons)
    scope = Scope(spans=frozenset({span_id}))
    for neuron, change in zip(neurons, found, strict=True):
        exact = measure_both(any_model, Exam([record]), zeroed(any_model, [neuron]))
        before, after = exact.logprobs(scope.covers)
        assert change == pytest.approx(after - before, abs=1e-3)


def test_random_control_has_as_many_units_of_each_kind_and_layer(model: LanguageModel) -> None:
    units = [Neuron(0, 1), Neuron(0, 2), Neuron(2, 5), Head(1, 3)]
    for seed in range(5):
        drawn = random_like(model.sites, units, seed)
        assert sorted((kind_of(n), n.layer) for n in drawn) == sorted(
            (kind_of(n), n.layer) for n in units
        )
        assert not set(drawn) & set(units)
    assert random_like(model.sites, units, 0) == random_like(model.sites, units, 0)
    assert random_like(model.sites, units, 0) != random_like(model.sites, units, 1)


@pytest.mark.parametrize("kind", ["mlp", "head"])
@pytest.mark.parametrize("name", LOCALISERS)
def test_every_localiser_leaves_the_model_alone_and_is_the_same_twice(
    model: LanguageModel, records: list[Record], name: str, kind: UnitKind
) -> None:
    targets = find_targets(model, records[:1])
    before = {n: p.clone() for n, p in model.module.named_parameters()}
    first, again = (score(name, targets, Settings(kind, 3)) for _ in range(2))
    assert torch.equal(first.values, again.values)
    assert first.values.shape == (3, model.sites.count(kind))
    assert (first.method, first.kind, first.targets) == (name, kind, 2)
    assert all(torch.equal(before[n], p) for n, p in model.module.named_parameters())
    assert not any(p.requires_grad or p.grad is not None for p in model.module.parameters())


SHORT: dict[str, tuple[Callable[..., UnitScores], Callable[..., Any]]] = {
    "slimming": (slimming, Slimming),
    "hard-concrete": (hard_concrete, HardConcrete),
    "balanced-subnet": (balanced_subnet, BalancedSubnet),
}


def score(name: str, targets: Targets, settings: Settings, steps: int = 12) -> UnitScores:
    """As the localiser scores; learned masks with few steps, since each takes as long."""
    if name in SHORT:
        localiser, how = SHORT[name]
        return localiser(targets, settings, how(steps=steps))
    return LOCALISERS[name].score(targets, settings)


class Stop(Exception):
    """Raised by a progress callback, as a cancel is."""


@pytest.mark.parametrize("name", [n for n in LOCALISERS if n != "random"])
def test_a_cancelled_localiser_leaves_no_hook(
    model: LanguageModel, records: list[Record], name: str
) -> None:
    def stop(_done: int, _of: int, _note: str = "") -> None:
        raise Stop

    def hooks() -> int:
        modules = model.module.modules()
        return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in modules)

    before = hooks()  # the guard of ids stays
    with pytest.raises(Stop):
        LOCALISERS[name].score(find_targets(model, records), Settings(progress=stop))
    assert hooks() == before


def test_zero_out_equals_ablating_one_by_one(
    any_model: LanguageModel, records: list[Record]
) -> None:
    targets = find_targets(any_model, records[:2])
    units: dict[UnitKind, list[LayerUnit]] = {
        "mlp": [Neuron(0, 1), Neuron(2, 30)],
        "head": [Head(0, 3), Head(2, 1)],
    }
    for kind, own in units.items():
        found = LOCALISERS["zero-out"].score(targets, Settings(kind)).values
        for unit in own:
            hooks = zeroed(any_model, [unit])
            before, after = measure_both(any_model, Exam(records[:2]), hooks).logprobs()
            # The mean over spans; a first token cannot be asked in either.
            change = before - after
            assert float(found[unit.layer, unit.index]) == pytest.approx(
                change * targets.spans, abs=2e-3
            )


def test_integrated_gradients_of_a_layer_add_up_to_silencing_it(
    any_model: LanguageModel, records: list[Record]
) -> None:
    targets = find_targets(any_model, records[:1])
    (batch,) = targets.batches()
    for kind in ("mlp", "head"):
        found = LOCALISERS["integrated-gradients"].score(targets, Settings(kind)).values
        for layer in range(3):
            path = any_model.sites.outs(kind)[layer]

            def said(hooks: Hooks) -> float:
                where = (batch.ids, batch.rows, batch.columns)
                logprobs = token_logprobs(any_model, *where, hooks)
                return float(logprobs.exp().mean())

            gap = said(Hooks()) - said(Hooks({path: torch.zeros_like}))
            assert float(found[layer].sum()) == pytest.approx(gap, abs=0.02)


def test_activation_norm_and_selective_pruning_are_their_formulas(
    any_model: LanguageModel, records: list[Record]
) -> None:
    targets = find_targets(any_model, records)
    batches = list(targets.batches(neutral=4.0, seed=0))
    cases: tuple[tuple[UnitKind, int, int], ...] = (("mlp", 1, 7), ("head", 2, 1))
    for kind, layer, index in cases:
        columns = any_model.sites.columns(kind, [index])
        weights = write_weights(any_model, kind, layer)[columns]
        own, other, writes = [], [], []
        for batch in batches:
            every = at_targets(any_model, batch, kind)[layer]
            values = every[:, columns]
            own.append(values[: batch.targets].norm(dim=1))
            other.append(values[batch.targets :].norm(dim=1))
            write = values @ weights
            if any_model.path.name == "gemma2":  # its norm behind the projection, scale held
                part = "post_attention" if kind == "head" else "post_feedforward"
                norm = any_model.module.get_submodule(f"model.layers.{layer}.{part}_layernorm")
                whole = any_model.module.get_submodule(any_model.sites.outs(kind)[layer])(every)
                gain = 1 + norm.get_parameter("weight")
                write = gain * write / (whole.square().mean(-1, keepdim=True) + 1e-6).sqrt()
            writes.append(write[: batch.targets].norm(dim=1))
        found = LOCALISERS["activation-norm"].score(targets, Settings(kind)).values
        assert float(found[layer, index]) == pytest.approx(float(torch.cat(writes).mean()), 1e-4)
        ratio = torch.cat(own).mean() / (torch.cat(other).mean() + 1e-3)
        found = LOCALISERS["selective-pruning"].score(targets, Settings(kind)).values
        assert float(found[layer, index]) == pytest.approx(float(ratio), 1e-4)


def test_alignment_is_a_cosine_with_the_weights_gradient(
    any_model: LanguageModel, records: list[Record]
) -> None:
    """Without neutral tokens the divisor is left out: the whole text is the span."""
    text = "Seen on the ward with 3 weeks of cough."
    whole = Record("w", "s", text, (Span(0, len(text), "NAME", "direct"),))
    targets = find_targets(any_model, [whole])
    (batch,) = targets.batches()
    copied = any_model.copied()
    parameters = [unit_parameters(copied, "mlp", i, [0])[-1] for i in range(3)]
    for each in parameters:
        each.parameter.requires_grad_()
    logits = logits_at(copied, batch.ids, batch.rows, batch.columns - 1)
    logits.log_softmax(-1).gather(1, batch.tokens[:, None]).sum().backward()
    found = LOCALISERS["alignment"].score(targets, Settings()).values
    for layer, each in enumerate(parameters):
        gradient = each.parameter.grad
        assert gradient is not None
        cosines = torch.cosine_similarity(each.parameter, gradient, dim=1 - each.dim)
        assert torch.allclose(found[layer], cosines, atol=1e-4)


def test_relevance_rules_change_no_value(any_model: LanguageModel) -> None:
    ids = torch.tensor([[0, 40, 50, 60, 70, 80]])
    plain_logits = any_model.module(ids).logits
    with hooked(any_model.module, relevance_rules(any_model)):
        assert torch.allclose(any_model.module(ids).logits, plain_logits, atol=1e-3)


def test_relevance_is_conserved_through_a_model_without_biases(
    any_model: LanguageModel,
) -> None:
    """By the rules every path is linear in its input: half the gated MLPs' part aside, what the
    embeddings contribute is the logit itself, less what biases add."""
    ids = torch.tensor([[0, 40, 50, 60, 70, 80]])
    copied = any_model.copied()
    for name, parameter in copied.module.named_parameters():
        if name.endswith("bias"):
            parameter.data.zero_()
    embeddings: list[torch.Tensor] = []

    def capture(_x: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        embeddings.append(output.detach().requires_grad_())
        return embeddings[-1]

    paths = [n for n, m in copied.module.named_modules() if isinstance(m, torch.nn.Embedding)]
    hooks = relevance_rules(copied).then(Hooks(outputs=dict.fromkeys(paths, capture)))
    with torch.enable_grad(), hooked(copied.module, hooks):
        logit = copied.module(ids).logits[0, -1, 7]
        gradients = torch.autograd.grad(logit, embeddings)
    pairs = zip(embeddings, gradients, strict=True)
    relevance = sum((e.detach() * g).sum().item() for e, g in pairs)
    if "gemma" not in copied.path.name:  # its soft cap is no linear map
        assert relevance == pytest.approx(logit.item(), rel=0.02, abs=0.02)


@pytest.mark.parametrize("name", ["slimming", "hard-concrete"])
def test_a_learned_mask_keeps_what_the_span_needs(
    model: LanguageModel, records: list[Record], name: str
) -> None:
    """The span is likelier with the upper half of the mask alone than with the lower half."""
    targets = find_targets(model, records[:1])
    values = score(name, targets, Settings(), steps=80).values
    assert ((values >= 0) & (values <= 1)).all()
    ranked = UnitScores(name, "mlp", values, 1).units(values.numel())
    (batch,) = targets.batches()
    where, half = (batch.ids, batch.rows, batch.columns), len(ranked) // 2
    upper, lower = (
        float(token_logprobs(model, *where, zeroed(model, rest)).sum())
        for rest in (ranked[half:], ranked[:half])
    )
    assert upper > lower


def _balance(model: LanguageModel, records: list[Record], mask: Tensor) -> Tensor:
    """Mean NLL of neutral tokens less that of the spans', note by note, by hooks of its own."""
    outs = [model.module.get_submodule(path) for path in model.sites.outs("mlp")]
    handles = [
        module.register_forward_pre_hook(lambda _m, args, row=row: (args[0] * row, *args[1:]))
        for module, row in zip(outs, mask, strict=True)
    ]
    own, neutral = [], []
    for each in records:
        encoded = encode(model, each)
        ids = torch.tensor([encoded.ids])
        said = model.module(ids).logits[0].log_softmax(-1)
        sensitive = {t for s in encoded.spans for t in range(s.start, s.end)}
        for t in range(1, max(sensitive) + 1):  # what follows the last span is never read
            (own if t in sensitive else neutral).append(-said[t - 1, encoded.ids[t]])
    for handle in handles:
        handle.remove()
    return torch.stack(neutral).mean() - torch.stack(own).mean()


def test_balanced_subnet_steps_along_its_gradient(
    model: LanguageModel, records: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(balanced, "_NEUTRAL", float("inf"))  # all of them, so that none is drawn
    targets = find_targets(model, records)
    how = BalancedSubnet(share=0.25, learning_rate=0.01, weight_decay=0.1, steps=1)
    found = balanced_subnet(targets, Settings(seed=3), how).values
    start = first_scores(model, "mlp", 3)
    assert float(start.abs().max()) <= 48**-0.5
    mask = torch.ones_like(start)
    for row, own in zip(mask, start, strict=True):
        row[own.abs().argsort()[:12]] = 0
    assert torch.equal(mask, kept_mask(start, 0.25))
    mask.requires_grad_()
    (gradient,) = torch.autograd.grad(_balance(model, records, mask), [mask])
    moved = start - 0.01 * (gradient * start.sign() + 0.1 * start)
    torch.testing.assert_close(found, -moved.abs(), atol=1e-5, rtol=1e-4)


def test_balanced_subnet_forgets_more_than_it_loses(
    model: LanguageModel, records: list[Record]
) -> None:
    how = BalancedSubnet(share=0.25, steps=60)
    values = balanced_subnet(find_targets(model, records), Settings(), how).values
    with torch.no_grad():
        learned, drawn = (
            _balance(model, records, kept_mask(s, 0.25))
            for s in (values, first_scores(model, "mlp", 0))
        )
    assert float(learned) < float(drawn)


def test_silencing_finds_units_whose_removal_silences(
    model: LanguageModel, records: list[Record]
) -> None:
    targets = find_targets(model, records)
    scores = LOCALISERS["silencing"].score(targets, Settings())
    chosen = scores.units(30)
    (batch,) = targets.batches()
    where = (batch.ids, batch.rows, batch.columns)
    found = [
        float(token_logprobs(model, *where, zeroed(model, units)).sum())
        for units in (chosen, scores.units(144)[-30:])
    ]
    assert found[0] < found[1]
