"""Each loss against its equation, computed place by place from the models' own probabilities."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from sanilens.corpus.records import Record, in_scope
from sanilens.errors import PlanError
from sanilens.model.align import encode
from sanilens.model.examples import note_examples
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.model.training import Example
from sanilens.unlearn.methods import METHODS, Task, find_method
from sanilens.unlearn.methods.icu import ascent_on_extracted, extracted
from sanilens.unlearn.methods.rmu import direction
from sanilens.unlearn.methods.task_vector import subtract_
from sanilens.unlearn.methods.terms import logits, read
from sanilens.unlearn.methods.wga import weighted_ascent
from tests.conftest import record, save_tiny

GAMMA, ALPHA = 0.7, 0.3
HALVES = {"forget_weight": GAMMA, "retain_weight": ALPHA}


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> tuple[LanguageModel, LanguageModel]:
    """The model in training, and a base: other weights of the same shapes."""
    root = tmp_path_factory.mktemp("others")
    trained, base = (
        load_model(save_tiny(root / str(seed), "gpt_neox", seed=seed), device="cpu")
        for seed in (1, 2)
    )
    return trained, base


@torch.inference_mode()
def told(model: LanguageModel, ids: Sequence[int]) -> Tensor:
    """log p of every token after each of `ids`, read alone and without padding; float64."""
    return model.module(torch.tensor([ids])).logits[0].double().log_softmax(-1)


@dataclass(frozen=True)
class Note:
    """A note, what three models say in it, and where its identifiers are."""

    example: Example
    models: tuple[LanguageModel, LanguageModel, LanguageModel]
    spans: tuple[tuple[int, int], ...]

    @cached_property
    def said(self) -> tuple[Tensor, Tensor, Tensor]:
        own, before, base = (told(model, self.example.ids) for model in self.models)
        return own, before, base

    def at(self, t: int) -> tuple[Tensor, Tensor, Tensor]:
        """log p(. | x_<t) of the trained model, of theta0 and of the base."""
        own, before, base = self.said
        return own[t - 1], before[t - 1], base[t - 1]

    def nll(self, span: tuple[int, int], which: int = 0) -> float:
        return -sum(float(self.at(t)[which][self.example.ids[t]]) for t in range(*span))

    def instead_nll(self, span: tuple[int, int], instead: Sequence[int], which: int = 0) -> float:
        ids = (*self.example.ids[: span[0]], *instead)
        said = told(self.models[which], ids)
        return -sum(float(said[t - 1][ids[t]]) for t in range(span[0], len(ids)))


@dataclass(frozen=True)
class Notes:
    """The batch."""

    notes: Sequence[Note]

    @property
    def forget(self) -> list[tuple[Note, int]]:
        return [(n, t) for n in self.notes for span in n.spans for t in range(*span)]

    @property
    def retain(self) -> list[tuple[Note, int]]:
        hidden = {(id(n), t) for n, t in self.forget}
        return [
            (n, t)
            for n in self.notes
            for t in range(1, len(n.example.ids))
            if (id(n), t) not in hidden
        ]

    @property
    def answers(self) -> list[tuple[Note, tuple[int, int]]]:
        return [(n, span) for n in self.notes for span in n.spans]


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def average(of: Callable[[Note, int], float], where: list[tuple[Note, int]]) -> float:
    return mean([of(note, t) for note, t in where])


def logp(note: Note, t: int) -> float:
    return float(note.at(t)[0][note.example.ids[t]])


def kl(p: Tensor, q: Tensor) -> float:
    return float((p.exp() * (p - q)).sum())


def kl_before(note: Note, t: int) -> float:
    own, before, _ = note.at(t)
    return kl(before, own)


def kl_base(note: Note, t: int) -> float:
    own, _, base = note.at(t)
    return kl(base, own)


def log_sigmoid(x: float) -> float:
    return float(logsigmoid(torch.tensor(x, dtype=torch.float64)))


def ce_retain(b: Notes) -> float:
    return -average(logp, b.retain)


def npo(b: Notes) -> float:
    force = [-(2 / 0.3) * log_sigmoid(0.3 * (n.nll(s) - n.nll(s, 1))) for n, s in b.answers]
    return GAMMA * mean(force) + ALPHA * ce_retain(b)


def simnpo(b: Notes) -> float:
    force = [
        -(2 / 4.5) * log_sigmoid(4.5 * (n.nll((i, j)) / (j - i) - 0.5)) for n, (i, j) in b.answers
    ]
    return GAMMA * mean(force) + ALPHA * ce_retain(b)


def wga(b: Notes) -> float:
    forget = average(lambda n, t: math.exp(2 * logp(n, t)) * logp(n, t), b.forget)
    return GAMMA * forget + ALPHA * average(kl_before, b.retain)


def undial(b: Notes) -> float:
    def cross_entropy(note: Note, t: int) -> float:
        own, before, _ = note.at(t)
        z = before.clone()
        z[note.example.ids[t]] -= 3.0
        return -float((z.softmax(-1) * own).sum())

    return GAMMA * average(cross_entropy, b.forget) + ALPHA * ce_retain(b)


def me_gd(b: Notes) -> float:
    def from_uniform(note: Note, t: int) -> float:
        own = note.at(t)[0]
        return kl(torch.full_like(own, -math.log(len(own))), own)

    return GAMMA * average(from_uniform, b.forget) + ALPHA * ce_retain(b)


def icu(b: Notes) -> float:
    def cross_entropy(note: Note, t: int) -> float:
        own, before, _ = note.at(t)
        return -float((before.exp() * own).sum())

    said = [
        (n, t)
        for n, span in b.answers
        if all(int(n.at(t)[0].argmax()) == n.example.ids[t] for t in range(*span))
        for t in range(*span)
    ]
    ascent = average(logp, said) if said else 0.0
    return GAMMA * ascent + ALPHA * ce_retain(b) + 0.9 * average(cross_entropy, b.retain)


def placeholder(note: Note, span: tuple[int, int]) -> tuple[int, ...]:
    return next(a.instead for a in note.example.answers if (a.start, a.end) == span)


def idk_term(b: Notes) -> float:
    total = sum(n.instead_nll(s, placeholder(n, s)) for n, s in b.answers)
    return total / sum(len(placeholder(n, s)) for n, s in b.answers)


def dpo(b: Notes) -> float:
    def force(n: Note, s: tuple[int, int]) -> float:
        other = placeholder(n, s)
        win = n.instead_nll(s, other, 1) - n.instead_nll(s, other)
        lose = n.nll(s, 1) - n.nll(s)
        return -(2 / 0.3) * log_sigmoid(0.3 * (win - lose))

    return GAMMA * mean([force(n, s) for n, s in b.answers]) + ALPHA * ce_retain(b)


def idk_ap(b: Notes) -> float:
    kept = [
        (n, (a.start, a.end), a.instead)
        for n in b.notes
        for a in n.example.answers
        if (a.start, a.end) not in n.spans
    ]
    assert len(kept) == len(b.answers)  # as many stretches as identifiers
    preserved = [
        -(1 / 0.3) * log_sigmoid(0.3 * (n.instead_nll(s, r) - n.nll(s))) for n, s, r in kept
    ]
    return GAMMA * idk_term(b) + ALPHA * mean(preserved)


def anchored(b: Notes) -> float:
    forget, retain = b.forget, b.retain
    total = 2.5 * sum(kl_base(n, t) for n, t in forget) + sum(kl_base(n, t) for n, t in retain)
    return total / len(forget + retain)


def eul(b: Notes) -> float:
    task = 0.4 * ce_retain(b)
    return ALPHA * average(kl_before, b.retain) - GAMMA * average(kl_before, b.forget) + task


@torch.inference_mode()
def rmu(b: Notes) -> float:
    # hidden_states[0] is the embedding: [2] is the second of three blocks, at half the depth.
    def hidden(note: Note, which: int) -> Tensor:
        ids = torch.tensor([note.example.ids])
        return (
            note.models[which].module(ids, output_hidden_states=True).hidden_states[2][0].double()
        )

    target = 5.0 * direction(32, seed=3).double()
    assert float(target.norm()) == pytest.approx(5.0)

    def steer(n: Note, t: int) -> float:
        return float((hidden(n, 0)[t - 1] - target).square().mean())

    def stay(n: Note, t: int) -> float:
        return float((hidden(n, 0)[t - 1] - hidden(n, 1)[t - 1]).square().mean())

    return GAMMA * average(steer, b.forget) + ALPHA * average(stay, b.retain)


CASES: dict[str, tuple[Mapping[str, float | str], Callable[[Notes], float]]] = {
    "masked": ({}, ce_retain),
    "gradient-ascent": ({}, lambda b: average(logp, b.forget)),
    "gradient-difference": (
        HALVES,
        lambda b: GAMMA * average(logp, b.forget) + ALPHA * ce_retain(b),
    ),
    "kl": (
        HALVES,
        lambda b: GAMMA * average(logp, b.forget) + ALPHA * average(kl_before, b.retain),
    ),
    "wga": (HALVES | {"beta": 2.0, "retain_loss": "kl"}, wga),
    "npo": (HALVES | {"beta": 0.3}, npo),
    "simnpo": (HALVES | {"delta": 0.5}, simnpo),
    "undial": (HALVES | {"beta": 3.0}, undial),
    "me-gd": (HALVES, me_gd),
    "icu": (HALVES | {"teacher_weight": 0.9}, icu),
    "idk": (HALVES, lambda b: GAMMA * idk_term(b) + ALPHA * ce_retain(b)),
    "dpo": (HALVES | {"beta": 0.3}, dpo),
    "altpo": (HALVES | {"beta": 0.3}, dpo),
    "idk-ap": (HALVES | {"beta": 0.3}, idk_ap),
    "task-vector": ({}, lambda b: -average(logp, b.forget)),
    "rmu": (HALVES | {"coefficient": 5.0}, rmu),
    "eul": (HALVES | {"task_weight": 0.4}, eul),
    "anchored": ({"sensitive_weight": 2.5, "written": 0.0}, anchored),
}


def batch_of(
    name: str,
    model: LanguageModel,
    records: Sequence[Record],
    others: tuple[LanguageModel, LanguageModel],
) -> tuple[float, Notes]:
    """The loss that a method computes for all records at once, and the batch it is about."""
    trained, base = others
    options, _ = CASES[name]
    method = find_method(name)
    task = Task(model, records, base, seed=3)
    prepared = method.prepare(task, method.options.model_validate(options))
    examples = prepared.examples(0)
    notes = [
        Note(
            example,
            (trained, model, base),
            tuple((s.start, s.end) for s in encode(model, record).spans),
        )
        for example, record in zip(examples, records, strict=True)
    ]
    with torch.inference_mode():
        return float(prepared.loss(trained.module, examples)), Notes(notes)


@pytest.mark.parametrize("name", CASES)
def test_a_loss_is_its_equation(
    name: str,
    model: LanguageModel,
    records: list[Record],
    others: tuple[LanguageModel, LanguageModel],
) -> None:
    found, batch = batch_of(name, model, records, others)
    expected = CASES[name][1](batch)
    assert abs(expected) > 1e-3
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_alternatives_are_of_the_same_form_and_others_in_every_epoch(
    model: LanguageModel, records: list[Record]
) -> None:
    method = find_method("altpo")
    prepared = method.prepare(Task(model, records, seed=3), method.options())

    def alternatives(epoch: int) -> list[str]:
        found = [a.instead for e in prepared.examples(epoch) for a in e.answers]
        return [str(model.tokenizer.decode(list(ids))).strip() for ids in found]

    true = [r.value(span) for r in records for span in r.spans]
    first, second = alternatives(0), alternatives(1)
    assert first == alternatives(0)
    assert not {*first} & {*second}
    for value, *others in zip(true, first, second, strict=True):
        for other in others:
            assert other != value
            if value[-1].isdigit():
                assert [c.isdigit() for c in other] == [c.isdigit() for c in value]


PROSE = "sings of gold"


def with_prose() -> Record:
    """A number, which has surrogates, and free text, which has none."""
    return record(f"MRN 4471203. She {PROSE}.", ("4471203", "MRN"), (PROSE, "FREE_TEXT"))


def test_what_prefers_a_surrogate_refuses_free_text(model: LanguageModel) -> None:
    for name, options in (("altpo", {}), ("grun", {"lookalikes": 1.0})):
        method = find_method(name)
        with pytest.raises(PlanError, match="free text") as caught:
            method.prepare(Task(model, [with_prose()]), method.options.model_validate(options))
        assert PROSE not in str(caught.value)
    method = find_method("grun")
    without = method.options.model_validate({"lookalikes": 0.0})
    assert method.prepare(Task(model, [with_prose()]), without).examples(0)


def test_surrogate_repair_masks_free_text(model: LanguageModel) -> None:
    """The number is taught as another one; the free text stands, and is no target."""
    method = find_method("surrogate")
    (example,) = method.prepare(Task(model, [with_prose()]), method.options()).examples(0)
    text = str(model.tokenizer.decode(list(example.ids)))
    assert PROSE in text
    assert "4471203" not in text
    untaught = [t for t, taught in zip(example.ids, example.taught, strict=True) if not taught]
    assert str(model.tokenizer.decode(untaught)).strip() == PROSE
    assert sum(example.sensitive) > len(untaught)


def test_icu_leaves_alone_what_is_not_said(model: LanguageModel, records: list[Record]) -> None:
    """Half of the identifiers are made certain by hand: ascent goes over these only."""

    batch = read(model.module, note_examples(model, records))
    with torch.no_grad():
        own = logits(model.module, batch)
    row, answer = batch.answers[1]
    for t in range(answer.start, answer.end):
        own[row, t - 1, batch.ids[row, t]] = own[row, t - 1].max() + 1
    said = extracted(own, batch).tolist()
    assert said[1]
    assert not all(said)
    logps = own.double().log_softmax(-1)
    places = [
        (r, t - 1, int(batch.ids[r, t]))
        for (r, a), on in zip(batch.answers, said, strict=True)
        if on
        for t in range(a.start, a.end)
    ]
    expected = mean([float(logps[place]) for place in places])
    assert float(ascent_on_extracted(own, batch)) == pytest.approx(expected, rel=1e-5)


def test_the_weight_of_weighted_ascent_is_held_fixed(
    model: LanguageModel, records: list[Record]
) -> None:
    """The gradient is that of p^beta log p with p^beta a constant."""

    batch = read(model.module, note_examples(model, records))
    with torch.no_grad():
        own = logits(model.module, batch)
    own.requires_grad_()
    weighted_ascent(own, batch, 2.0).backward()
    logps = own.detach().log_softmax(-1)
    picked = logps.gather(-1, batch.targets[..., None])[..., 0]
    weight = (2 * picked).exp() * batch.forget / batch.forget.sum()
    onehot = torch.zeros_like(own).scatter(-1, batch.targets[..., None], 1.0)
    assert own.grad is not None
    torch.testing.assert_close(own.grad, weight[..., None] * (onehot - logps.exp()))


@pytest.mark.parametrize("name", ["surrogate", "anchored"])
def test_what_is_taught_beside_notes(
    name: str,
    model: LanguageModel,
    records: list[Record],
    others: tuple[LanguageModel, LanguageModel],
) -> None:
    """Surrogates are targets like any token; the unedited model may have its say elsewhere."""
    trained, base = others
    method = find_method(name)
    task = Task(model, records, base, seed=3)
    given = {"kl_weight": 0.6} if name == "surrogate" else {"written": 1.0}
    prepared = method.prepare(task, method.options.model_validate(given))
    examples = prepared.examples(0)
    notes = [Note(e, (trained, model, base), _stretches(e.sensitive)) for e in examples]
    batch = Notes(notes)
    with torch.inference_mode():
        found = float(prepared.loss(trained.module, examples))
    if name == "surrogate":
        assert len(examples) == len(records)
        everywhere = batch.forget + batch.retain
        expected = -average(logp, everywhere) + 0.6 * average(kl_before, batch.retain)
    else:
        assert len(examples) == 2 * len(records)
        total = 4 * sum(kl_base(n, t) for n, t in batch.forget)
        total += sum(kl_base(n, t) for n, t in batch.retain)
        expected = total / len(batch.forget + batch.retain)
    assert found == pytest.approx(expected, rel=1e-4)


def _stretches(sensitive: Sequence[bool]) -> tuple[tuple[int, int], ...]:
    """Single sensitive targets, as spans of one token."""
    return tuple((t, t + 1) for t, hidden in enumerate(sensitive) if hidden and t)


def test_every_method_is_held_to_its_equation() -> None:

    elsewhere = {"surrogate", "grun", "cir", "stranger"}
    assert {*CASES} | elsewhere >= {*METHODS}


def test_the_task_vector_goes_the_other_way(tiny_folders: dict[str, Path]) -> None:
    start = load_model(tiny_folders["llama"], device="cpu").module
    before = {n: p.detach().clone() for n, p in start.named_parameters()}
    model = load_model(tiny_folders["llama"], device="cpu")
    torch.manual_seed(0)
    moves = {n: torch.randn_like(p) for n, p in model.module.named_parameters()}
    with torch.no_grad():
        for n, p in model.module.named_parameters():
            p.add_(moves[n])

    subtract_(model.module, before, 0.5)
    for n, p in model.module.named_parameters():
        torch.testing.assert_close(p.detach(), before[n] - 0.5 * moves[n], atol=1e-5, rtol=1e-5)


def test_anchored_for_some_people_holds_the_rest_to_the_unedited_model(
    model: LanguageModel, records: list[Record], others: tuple[LanguageModel, LanguageModel]
) -> None:
    """The base never saw anybody's details: as teacher of all text it would take them all away."""
    trained, base = others
    scoped = in_scope(records, (records[0].subject,))
    method = find_method("anchored")
    options = method.options.model_validate({"sensitive_weight": 2.5, "written": 0.0})
    prepared = method.prepare(Task(model, scoped, base, seed=3, scoped=True), options)
    examples = prepared.examples(0)
    notes = [Note(e, (trained, model, base), _stretches(e.sensitive)) for e in examples]
    batch = Notes(notes)
    total = 2.5 * sum(kl_base(n, t) for n, t in batch.forget)
    total += sum(kl_before(n, t) for n, t in batch.retain)
    with torch.inference_mode():
        found = float(prepared.loss(trained.module, examples))
    assert found == pytest.approx(total / len(batch.forget + batch.retain), rel=1e-4)
