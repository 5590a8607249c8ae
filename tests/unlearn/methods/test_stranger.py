"""Stranger repair against its equation, token by token, and what it reads."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from sanilens.corpus.records import Record
from sanilens.model.examples import note_examples
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.model.lessons import gap_lessons, lessons
from sanilens.model.soft import Soft
from sanilens.model.teachers import teach
from sanilens.model.training import Example, Schedule, TrainingState, train_
from sanilens.unlearn.methods import Prepared, Task, find_method, stranger
from sanilens.unlearn.plan import Repair
from sanilens.unlearn.repair import prepare_repair
from tests.conftest import record, save_masked, save_tiny

SEED, WEIGHT, EXCESS = 3, 2.5, 1.5
OPTIONS = {"sensitive_weight": WEIGHT, "excess_weight": EXCESS, "strangers": 2}
SECRET = "8812345"
FURTHER = [
    record(f"A further text of number {n}, {SECRET}.", (SECRET, "MRN"), id=f"f-{n}")
    for n in range(11)
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    """The model in training: other weights of the same shape."""
    folder = tmp_path_factory.mktemp("trained")
    return load_model(save_tiny(folder, "gpt_neox", seed=4), device="cpu")


def prepared(model: LanguageModel, records: Sequence[Record], retain: Sequence[Record] = ()):
    method = find_method("stranger")
    task = Task(model, records, seed=SEED, retain=retain)
    return method.prepare(task, method.options.model_validate(OPTIONS))


def told(model: LanguageModel, ids: Sequence[int]) -> Tensor:
    """log p of every token after each of `ids`, read alone; float64."""
    with torch.inference_mode():
        return model.module(torch.tensor([ids])).logits[0].double().log_softmax(-1)


def kl_of_top(soft: Soft, row: int, own: Tensor) -> float:
    """KL(q || p) with what is not in q's top as one answer."""
    shown = [*zip(soft.tokens[row].tolist(), soft.probs[row].double().tolist(), strict=True)]
    found = sum(q * (math.log(q) - own[t]) for t, q in shown if q > 0)
    rest, left = 1 - sum(q for _, q in shown), 1 - sum(own[t].exp() for t, _ in shown)
    return float(found) + (rest * math.log(rest / float(left)) if rest > 0 else 0.0)


def of_top(soft: Soft, row: int, token: int) -> float:
    """log q of a token; of one beyond the top as much as the top leaves, or its least has."""
    shown = dict(zip(soft.tokens[row].tolist(), soft.probs[row].tolist(), strict=True))
    return math.log(shown.get(token) or max(1e-9, min(1 - sum(shown.values()), *shown.values())))


def expected(
    before: LanguageModel,
    now: LanguageModel,
    batch: Sequence[Example],
    answers: dict[tuple[int, ...], tuple[tuple[int, ...], Soft]],
    further: Sequence[Example] = (),
) -> float:
    """(1/T) [ w sum_S KL(q || p) + e sum_S max(0, log p / q) + sum_N KL(p_theta0 || p) + … ]"""
    total, places = 0.0, 0
    for example, taught in [*((e, False) for e in batch), *((e, True) for e in further)]:
        own, first = told(now, example.ids), told(before, example.ids)
        for column in range(1, len(example.ids)):
            places += 1
            p, q = own[column - 1], first[column - 1]
            loss, apart = -float(p[example.ids[column]]), float((q.exp() * (q - p)).sum())
            if not taught and example.sensitive[column]:
                columns, soft = answers[example.ids]
                k, token = columns.index(column), example.ids[column]
                total += WEIGHT * kl_of_top(soft, k, p)
                total += EXCESS * max(0.0, float(p[token]) - of_top(soft, k, token))
            elif taught:
                total += 2 * loss if example.sensitive[column] else (apart + loss) / 2
            else:
                total += apart
    return total / places


def test_the_loss_is_its_equation(
    model: LanguageModel, trained: LanguageModel, records: list[Record]
) -> None:
    plain = record("Nothing of anybody: dry and clean.", id="r-4", subject="s-4")
    records = [*records, plain]
    taught = teach("stranger", model, records, seed=SEED, draws=2)
    own = lessons(model, records, taught)
    answers = {each.example.ids: (each.columns, each.soft) for each in own}
    ready = prepared(model, records, FURTHER)
    assert ready.loss is not None
    examples = ready.examples(0)
    notes, further = examples[: len(records)], examples[len(records) :]
    assert [each.ids for each in notes] == [each.example.ids for each in own]
    for batch, read in ((notes, further), (notes[:1], []), (notes[3:], further[:1]), ([], further)):
        found = float(ready.loss(trained.module, [*read, *batch]))
        assert found == pytest.approx(expected(model, trained, batch, answers, read), rel=2e-3)


def test_further_texts_tell_how_free_text_goes_on(
    model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Sequence[Record]] = []

    def asking(*args: Any, others: Sequence[Record], **options: Any) -> list[Soft]:
        asked.append(others)
        return teach(*args, others=others, **options)

    monkeypatch.setattr(stranger, "teach", asking)
    prepared(model, [record("A dry cough.", ("dry", "FREE_TEXT"))], FURTHER)
    assert asked == [FURTHER]


def test_nothing_is_lost_of_plain_text_by_the_model_itself(model: LanguageModel) -> None:
    plain = [record("Nothing of anybody: dry and clean.")]
    ready = prepared(model, plain)
    assert ready.loss is not None
    assert float(ready.loss(model.module, ready.examples(0))) == pytest.approx(0, abs=1e-6)


def test_gradients_flow_into_the_copy_alone(model: LanguageModel, records: list[Record]) -> None:
    ready = prepared(model, records)
    copied = model.copied()
    copied.module.requires_grad_(True)
    assert ready.loss is not None
    ready.loss(copied.module, ready.examples(0)).backward()
    assert any(own.grad is not None and own.grad.any() for own in copied.module.parameters())
    assert all(own.grad is None for own in model.module.parameters())


def test_further_texts_are_taught_with_fresh_surrogates(
    model: LanguageModel, records: list[Record]
) -> None:
    """Three for each note, others in every epoch, the same in every epoch of that number."""
    ready = prepared(model, records, FURTHER)
    notes = note_examples(model, records)
    drawn = [ready.examples(epoch)[len(notes) :] for epoch in range(4)]
    assert [len(own) for own in drawn] == [9] * 4
    assert all(all(e.taught) and any(e.sensitive) for own in drawn for e in own)
    written = [str(model.tokenizer.decode([*e.ids])) for own in drawn for e in own]
    assert all("A further text of number" in text and SECRET not in text for text in written)
    assert len({*written}) > len(FURTHER)  # the same text comes with other details
    assert ready.examples(2) == prepared(model, records, FURTHER).examples(2)
    first = ready.examples(0)[: len(notes)]
    assert [(e.ids, e.sensitive) for e in first] == [(e.ids, e.sensitive) for e in notes]
    assert not any(any(e.taught) for e in first)


def test_of_further_texts_free_text_is_read_and_not_taught(
    model: LanguageModel, records: list[Record]
) -> None:
    prose = "sings of gold"
    text = f"MRN {SECRET}. She {prose}."
    further = record(text, (SECRET, "MRN"), (prose, "FREE_TEXT"), id="f")
    *_, example = prepared(model, records, [further]).examples(0)
    assert SECRET not in str(model.tokenizer.decode([*example.ids]))
    untaught = [t for t, taught in zip(example.ids, example.taught, strict=True) if not taught]
    assert str(model.tokenizer.decode(untaught)).strip() == prose


def test_a_long_further_text_gives_as_many_pieces_in_every_epoch(
    model: LanguageModel, records: list[Record]
) -> None:
    long = record("Word after word. " * 2 * model.max_tokens + SECRET, (SECRET, "MRN"), id="f")
    ready = prepared(model, records, [long])
    assert len({len(ready.examples(epoch)) for epoch in range(4)}) == 1
    assert len(ready.examples(0)) > len(records) + 1


def test_two_notes_of_the_same_words_are_one_example(
    model: LanguageModel, trained: LanguageModel, records: list[Record]
) -> None:
    twice = [records[0], replace(records[0], id="r-9")]
    ready = prepared(model, twice)
    assert ready.loss is not None
    both = float(ready.loss(trained.module, ready.examples(0)))
    one = float(ready.loss(trained.module, ready.examples(0)[:1]))
    assert both == pytest.approx(one, rel=1e-5)


# ---- gaps, of which masked models are asked


@pytest.fixture(scope="module")
def masked_trained(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    """The masked model in training: other weights of the same shape."""
    folder = tmp_path_factory.mktemp("masked-trained")
    return load_model(save_masked(folder, "bert", seed=4), device="cpu")


def prepared_gaps(
    model: LanguageModel, records: Sequence[Record], retain: Sequence[Record] = ()
) -> Prepared:
    repair = Repair(method="stranger", options=OPTIONS)
    return prepare_repair(model, records, repair, SEED, retain=retain)


def filled(model: LanguageModel, example: Example) -> Tensor:
    """log p of every token of what a masked model is shown, read alone; float64."""
    with torch.inference_mode():
        shown = torch.tensor([example.shown])
        return model.module(input_ids=shown).logits[0].double().log_softmax(-1)


def test_the_loss_in_gaps_is_its_equation(
    masked_model: LanguageModel, masked_trained: LanguageModel, records: list[Record]
) -> None:
    asked = gap_lessons(masked_model, records, others=FURTHER, seed=SEED, draws=2)
    answers = {each.example: (each.columns, each.soft) for own in asked for each in own}
    ready = prepared_gaps(masked_model, records, FURTHER)
    examples = ready.examples(1)
    spans, notes, further = examples[:5], examples[5:8], examples[8:]
    assert all(each in answers for each in spans)
    assert not any(any(each.taught) for each in (*spans, *notes))
    assert any(any(map(all, zip(e.sensitive, e.gaps, strict=True))) for e in further)
    for batch in (examples, spans, notes, further[:4]):
        total, gaps = 0.0, 0
        for example in batch:
            own, first = filled(masked_trained, example), filled(masked_model, example)
            for i in (i for i, gap in enumerate(example.gaps) if gap):
                gaps += 1
                p, q, token = own[i], first[i], example.ids[i]
                apart = float((q.exp() * (q - p)).sum())
                if example in answers:
                    columns, soft = answers[example]
                    row = columns.index(i)
                    total += WEIGHT * kl_of_top(soft, row, p)
                    total += EXCESS * max(0.0, float(p[token]) - of_top(soft, row, token))
                elif not example.taught[i]:
                    total += apart
                elif example.sensitive[i]:
                    total -= 2 * float(p[token])
                else:
                    total += (apart - float(p[token])) / 2
        found = float(ready.loss(masked_trained.module, batch))
        assert found == pytest.approx(total / gaps, rel=2e-3)


def test_nothing_is_lost_in_gaps_of_plain_text_by_the_model_itself(
    masked_model: LanguageModel,
) -> None:
    plain = [record("Nothing of anybody: dry and clean.")]
    ready = prepared_gaps(masked_model, plain)
    (example,) = ready.examples(0)
    assert any(example.gaps)
    assert float(ready.loss(masked_model.module, [example])) == pytest.approx(0, abs=1e-6)


def test_what_is_sensitive_is_a_gap_only_where_a_stranger_answers(
    any_masked_subject: LanguageModel, records: list[Record]
) -> None:
    """Twenty epochs: gaps of notes are elsewhere; each span is one gap, now whole, now in part."""
    ready, again = (prepared_gaps(any_masked_subject, records) for _ in range(2))
    whole = note_examples(any_masked_subject, records)
    texts, parts = set(), set()
    for epoch in range(20):
        examples = ready.examples(epoch)
        assert examples == again.examples(epoch)
        spans, notes = examples[:5], examples[5:]
        assert [e.ids for e in notes] == [e.ids for e in whole]
        for example, plain in zip(notes, whole, strict=True):
            pairs = zip(example.gaps, plain.sensitive, strict=True)
            assert not any(gap and sensitive for gap, sensitive in pairs)
            texts.add(example.shown)
        parts |= {(n, sum(e.gaps)) for n, e in enumerate(spans)}
    assert len(texts) > len(records)
    assert len(parts) > 5


def test_further_texts_are_not_read_where_only_some_people_are_asked_for(
    masked_model: LanguageModel, records: list[Record]
) -> None:
    repair = Repair(method="stranger", options=OPTIONS)

    def read(scoped: bool) -> int:
        ready = prepare_repair(masked_model, records, repair, SEED, retain=FURTHER, scoped=scoped)
        return len(ready.examples(0))

    spans = sum(len(own.spans) for own in records)
    assert (read(True), read(False)) == (spans + 3, spans + 3 + 9)


def test_what_is_killed_goes_on_to_the_same_weights(
    masked_model: LanguageModel, records: list[Record]
) -> None:
    """Prepared anew, as a resumed run does."""

    def trained(steps: int, model: LanguageModel, state: TrainingState | None) -> TrainingState:
        ready = prepared_gaps(masked_model, records, FURTHER)
        how = Schedule(1e-3, epochs=2, batch_size=4)
        model.module.requires_grad_(True)
        for step, now in train_(
            model.module, ready.examples, how, SEED, loss_of=ready.loss, resume=state
        ):
            state = now()
            if step.number == steps:
                break
        assert state
        return state

    whole, cut = masked_model.copied(), masked_model.copied()
    trained(100, whole, None)
    trained(100, cut, trained(7, cut, None))
    changed = False
    for one, other, before in zip(
        whole.module.parameters(),
        cut.module.parameters(),
        masked_model.module.parameters(),
        strict=True,
    ):
        assert torch.equal(one, other)
        changed |= not torch.equal(one, before)
    assert changed
