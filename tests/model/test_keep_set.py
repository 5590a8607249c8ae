"""What must stay: which places, and how far a model has moved there."""

from collections.abc import Sequence

import pytest
import torch

from sanilens.corpus.records import Record, in_scope
from sanilens.errors import ModelError
from sanilens.model import keep_set as module
from sanilens.model.examples import note_examples
from sanilens.model.keep_set import Harm, Kept, keep_set, kept_batches
from sanilens.model.language_model import LanguageModel
from tests.conftest import TEXTS, record

FURTHER = [record("Dry and clean, so home soon. " * 30, ("clean", "X"), id="f-1", subject="f")]


def test_every_place_but_the_sensitive_is_told_or_held(
    any_model: LanguageModel, records: list[Record]
) -> None:
    found = keep_set(any_model, records)
    for told, held, example in zip(
        found.told, found.held, note_examples(any_model, records), strict=True
    ):
        assert told.ids == held.ids == example.ids
        assert not {*told.columns} & {*held.columns}
        free = {i for i, own in enumerate(example.sensitive) if i > 0 and not own}
        assert {*told.columns} | {*held.columns} == free
        assert 0 < len(held.columns) <= len(free) // 16 + 1


def test_further_texts_and_other_people_stay_with_all_that_is_in_them(
    model: LanguageModel, records: list[Record]
) -> None:
    for scoped, further in ((in_scope(records, ["s-1"]), ()), ((), FURTHER)):
        found = keep_set(model, scoped, further)
        others = [r for r in (*scoped, *further) if r.subject != "s-1"]
        pieces = note_examples(model, others)
        assert pieces
        for told, held in [*zip(found.told, found.held, strict=True)][-len(pieces) :]:
            assert sorted((*told.columns, *held.columns)) == [*range(1, len(told.ids))]


def test_a_detail_of_somebody_who_stays_weighs_more(
    model: LanguageModel, records: list[Record]
) -> None:
    asked = in_scope(records, ["s-1"])
    told = keep_set(model, asked, FURTHER, records).told
    whole = note_examples(model, [*records, *FURTHER])
    subjects = [r.subject for r in (*records, *FURTHER) for _ in note_examples(model, [r])]
    heavy = 0
    for kept, example, subject in zip(told, whole, subjects, strict=True):
        weights = kept.weights or (1.0,) * len(kept.columns)
        dear = {c for c, w in zip(kept.columns, weights, strict=True) if w > 1}
        marked = {c for c in kept.columns if example.sensitive[c]}
        assert dear == (marked if subject not in {"s-1", "f"} else set())
        heavy += len(dear)
    assert heavy > 10
    assert all(not kept.weights for kept in keep_set(model, asked, FURTHER).told)


def test_nothing_of_somebody_deleted_earlier_is_in_it(
    model: LanguageModel, records: list[Record]
) -> None:
    gone = {e.ids for e in note_examples(model, [r for r in records if r.subject == "s-2"])}
    found = keep_set(model, in_scope(records, ["s-1"], ["s-2"]))
    assert len(found.told) == 2
    assert not gone & {kept.ids for kept in (*found.told, *found.held)}


def test_batches_hold_every_place_once(model: LanguageModel, records: list[Record]) -> None:
    kept = [*keep_set(model, records, FURTHER).told, Kept((5, 6), ())]
    found = [
        (tuple(ids[: int(here.sum())].tolist()), column)
        for batch in kept_batches(model, kept)
        for row, (ids, here) in enumerate(zip(batch.ids, batch.here, strict=True))
        for column in batch.columns[batch.rows == row].tolist()
    ]
    assert sorted(found) == sorted((own.ids, c) for own in kept for c in own.columns)


def moved(model: LanguageModel, path: str, by: float) -> LanguageModel:
    copied = model.copied()
    weight = copied.module.get_submodule(path).get_parameter("weight")
    noise = torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        weight += by * noise
    return copied


def measured(then: LanguageModel, now: LanguageModel, held: Sequence[Kept]) -> float:
    """KL(then || now) a place, every text read alone; float64."""
    found = []
    with torch.inference_mode():
        for own in held:
            at = torch.tensor(own.columns) - 1
            p, q = (
                m.module(torch.tensor([own.ids])).logits[0, at].double().log_softmax(-1)
                for m in (then, now)
            )
            found.append((p.exp() * (p - q)).sum(1))
    return float(torch.cat(found).mean())


def test_harm_is_the_kl_at_the_held_places(any_model: LanguageModel, records: list[Record]) -> None:
    held = keep_set(any_model, records).held
    harm = Harm(any_model, held)
    assert harm.tokens == sum(len(own.columns) for own in held)
    nothing = harm.of(any_model)
    assert nothing is not None
    assert (nothing.since_start, nothing.since_last) == (0.0, 0.0)
    path = any_model.sites.linears[1][-1].path
    first, second = moved(any_model, path, 0.02), moved(any_model, path, 0.05)
    one = harm.of(first)
    assert one is not None
    assert one.since_start == pytest.approx(measured(any_model, first, held), rel=1e-2)
    harm.accept(one)
    assert harm.spent == one.since_start
    two = harm.of(second)
    assert two is not None
    assert two.since_start == pytest.approx(measured(any_model, second, held), rel=1e-2)
    assert two.since_last == pytest.approx(measured(first, second, held), rel=1e-2)


def test_a_broken_model_has_no_harm_to_tell(model: LanguageModel, records: list[Record]) -> None:
    harm = Harm(model, keep_set(model, records).held)
    assert harm.of(moved(model, model.sites.linears[0][0].path, float("nan"))) is None


def test_tokens_that_are_ruled_out_make_no_kl_and_no_number_reads_as_none() -> None:
    out = torch.tensor([[0.5, 0.5, 0.0]]).log()
    other = torch.tensor([[0.25, 0.75, 0.0]]).log()
    expected = 0.5 * torch.tensor(2.0).log() + 0.5 * torch.tensor(2 / 3).log()
    assert module._kl([out], [other]) == pytest.approx(float(expected), rel=1e-5)
    broken = torch.full((1, 3), torch.nan)
    assert not module._kl([out], [broken]) >= 0


def test_harm_that_cannot_be_measured_is_refused(model: LanguageModel) -> None:
    secret = record("4471203", ("4471203", "MRN"))
    for held in ((), keep_set(model, [secret]).held):
        with pytest.raises(ModelError, match="too little text"):
            Harm(model, held)


def test_memory_does_not_grow_with_the_corpus(
    model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held places are read of so many texts, evenly spread, and of fewer where they are many."""
    texts = [record(f"{TEXTS[n % 3]} Seen {n} times.", id=f"r-{n}") for n in range(100)]
    held = keep_set(model, texts).held
    whole = sum(len(own.columns) for own in held)
    assert whole / 10 < Harm(model, held).tokens < whole / 5
    monkeypatch.setattr(module, "_MOST_LOGPROBS", 300 * whole // 20)
    assert whole / 30 < Harm(model, held).tokens <= whole / 15
