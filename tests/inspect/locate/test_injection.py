"""An injected memory lies in the drawn neurons alone, keeps their norms, and is said."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from statistics import fmean

import pytest
import torch

from sanilens.audit.extraction import audit_spans
from sanilens.audit.targets import find_targets
from sanilens.corpus.records import Record
from sanilens.inspect.locate import injection
from sanilens.inspect.locate.injection import (
    Condition,
    Injected,
    Injector,
    Side,
    chosen,
    memories,
    recall,
)
from sanilens.inspect.locate.localisers import Settings, find_localiser
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.model.parameters import unit_parameters
from sanilens.model.units import Neuron
from sanilens.model.weights import stored_dtype
from tests.conftest import record

SHARE = 0.5


@pytest.fixture
def texts() -> list[Record]:
    return [
        record("Seen on the ward. Her name is Ann Lee", ("Ann Lee", "NAME"), id="a"),
        record("Came by bus on Monday from Leeds", ("Leeds", "CITY"), id="b"),
    ]


@pytest.fixture
def more() -> list[Record]:
    return [
        record(f"{before} {value}", (value, label), id=f"m-{number}")
        for number, (before, value, label) in enumerate(
            [
                ("The number is", "4471", "MRN"),
                ("Born in", "Oslo", "CITY"),
                ("Call", "771-0938", "PHONE"),
                ("Works as a", "baker", "OCCUPATION"),
                ("Signed by", "Bo Li", "NAME"),
                ("Seen on", "3 May", "DATE"),
            ]
        )
    ]


def test_memories_are_cut_to_their_sentence(model: LanguageModel, texts: list[Record]) -> None:
    found = {r.id: r for r in memories(model, texts, seed=0)}
    assert len(found) == 2
    cut = found[texts[0].span_id(texts[0].spans[0])]
    assert cut.text == "Her name is Ann Lee"
    assert cut.value(cut.spans[0]) == "Ann Lee"


def held(
    model: LanguageModel, texts: list[Record], share: float, condition: Condition, most: int = 100
) -> Iterator[Injected]:
    """The injections that hold, at least one: which ones do is up to the processor's rounding."""
    injector, found = Injector(model, share, 1, texts), 0
    for number, memory in enumerate(memories(model, texts, 0)):
        injected = injector.inject(memory, number, condition)
        if injected is not None:
            found += 1
            yield injected
        if found == most:
            break
    assert found


def check_what_changed(
    model: LanguageModel, texts: list[Record], side: Side, most: int = 100
) -> None:
    before = {n: p.clone() for n, p in model.module.named_parameters()}
    for injected in held(model, texts, SHARE, Condition(side, tuned=False), most):
        assert all(v.extracted for v in audit_spans(injected.model, [injected.record]))
        assert len(injected.neurons) == SHARE * 3 * 48
        changed: dict[str, set[Neuron]] = {"write": set(), "read": set()}
        for layer, number in product(range(3), range(48)):
            mine, theirs = (
                unit_parameters(s, "mlp", layer, [number])
                for s in (injected.model, injected.original)
            )
            for place, (a, b) in enumerate(zip(mine, theirs, strict=True)):
                new, old = (s.parameter.index_select(s.dim, s.indices) for s in (a, b))
                if a.parameter.dim() == 1:
                    assert torch.equal(new, old)  # a bias has no direction to turn
                    continue
                lengths = [v.norm(dim=1 - a.dim) for v in (new, old)]
                assert torch.allclose(*lengths, rtol=1e-5)
                if not torch.equal(new, old):
                    where = "write" if place == len(mine) - 1 else "read"
                    changed[where].add(Neuron(layer, number))
        assert changed["write"] == (injected.neurons if side != "read" else set())
        assert changed["read"] == (injected.neurons if side != "write" else set())
        assert not any(p.requires_grad for p in injected.model.module.parameters())
    assert all(torch.equal(before[n], p) for n, p in model.module.named_parameters())


@pytest.mark.parametrize("side", ["write", "read"])
@pytest.mark.slow
def test_only_the_taught_side_changes_and_keeps_its_norms(
    model: LanguageModel, texts: list[Record], monkeypatch: pytest.MonkeyPatch, side: Side
) -> None:
    # Longer steps: this model's weights are six times the usual ones.
    monkeypatch.setattr(injection, "_LEARNING_RATE", 0.1)
    check_what_changed(model, texts, side)


@pytest.mark.slow
def test_both_sides_change_in_every_architecture(
    any_model: LanguageModel,
    texts: list[Record],
    more: list[Record],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(injection, "_LEARNING_RATE", 0.1)
    check_what_changed(any_model, [*texts, *more], "both", most=1)


@pytest.mark.slow
def test_tuning_further_moves_all_weights_and_starts_anew_each_time(
    model: LanguageModel, texts: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(injection, "_TUNING_STEPS", 3)
    condition = Condition("write", tuned=True)
    injector = Injector(model, SHARE, 1, [replace(t, subject="another") for t in texts])
    first, again = (injector.inject(memories(model, texts, 0)[0], 0, condition) for _ in range(2))
    assert first
    assert again
    weights = dict(first.model.module.named_parameters())
    assert {n for n, p in model.module.named_parameters() if torch.equal(p, weights[n])} <= {
        n
        for n in weights
        if n.endswith("bias")  # a key's bias has no gradient
    }
    fresh = Injector(model, SHARE, 1, [replace(t, subject="another") for t in texts])
    other = fresh.inject(memories(model, texts, 0)[0], 0, condition)
    assert other
    for name, parameter in other.model.module.named_parameters():
        assert torch.equal(parameter, weights[name])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stored", "tuned"),
    [
        (torch.float16, True),
        pytest.param(torch.bfloat16, False, marks=pytest.mark.slow),
        pytest.param(torch.float32, False, marks=pytest.mark.slow),
    ],
)
def test_injected_rows_are_rounded_as_the_folder_is(
    model: LanguageModel, texts: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    stored: torch.dtype, tuned: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr(injection, "_TUNING_STEPS", 3)
    folder = shutil.copytree(model.path, tmp_path / "model")
    model.copied().module.to(stored).save_pretrained(folder)  # pyright: ignore
    base = load_model(folder, device="cpu")
    assert stored_dtype(folder) == stored
    others = [replace(t, subject="another") for t in texts]
    injector, condition = Injector(base, SHARE, 1, others), Condition("both", tuned)
    injected = injector.inject(memories(base, texts, 0)[0], 0, condition)
    assert injected
    for parameter in injected.model.module.parameters():
        # By its mantissa no row can be told from any other.
        assert torch.equal(parameter, parameter.to(stored).float())


@pytest.mark.slow
@pytest.mark.parametrize(("side", "least"), [("write", 0.5), ("both", 0.2)])
def test_alignment_on_both_sides_finds_what_was_taught_to_either(
    model: LanguageModel, texts: list[Record], more: list[Record],
    monkeypatch: pytest.MonkeyPatch, side: Side, least: float,
) -> None:  # fmt: skip
    # To the end, and with longer steps: this model's weights are six times the usual ones.
    monkeypatch.setattr(injection, "_ENOUGH", 0.0)
    monkeypatch.setattr(injection, "_LEARNING_RATE", 0.1)
    names = ("two-sided-alignment", "alignment", "random")
    found: dict[str, list[float]] = {name: [] for name in names}
    for injected in held(model, [*texts, *more], 0.2, Condition(side, tuned=False)):
        targets = find_targets(injected.model, [injected.record])
        for name, recalls in found.items():
            scores = find_localiser(name).score(targets, Settings()).values
            predicted = chosen(scores, len(injected.neurons), per_layer=False)
            recalls.append(recall(predicted, injected.neurons))
    # One memory alone may be found or not, by the processor's rounding.
    two_sided, one_sided, by_chance = (fmean(found[name]) for name in names)
    assert two_sided > max(least, one_sided, 1.2 * by_chance)


def test_picking_over_the_whole_model_or_in_each_layer() -> None:
    values = torch.tensor([[9.0, 8.0, 7.0], [1.0, 2.0, 3.0]])
    assert chosen(values, 2, per_layer=False) == [Neuron(0, 0), Neuron(0, 1)]
    assert chosen(values, 2, per_layer=True) == [Neuron(0, 0), Neuron(1, 2)]
    assert recall([Neuron(0, 0), Neuron(1, 1)], frozenset({Neuron(0, 0), Neuron(0, 1)})) == 0.5
