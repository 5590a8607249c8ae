"""A change in one go: nothing changes nothing, a seed decides everything, the original stays."""

import pytest
import torch

from sanilens.corpus.records import Record, in_scope
from sanilens.model.language_model import LanguageModel
from sanilens.unlearn.methods import METHODS
from sanilens.unlearn.plan import Repair, UnitEdit
from sanilens.unlearn.sanitise import Change, sanitise


def same(a: LanguageModel, b: LanguageModel) -> bool:
    pairs = zip(a.module.parameters(), b.module.parameters(), strict=True)
    return all(torch.equal(p, q) for p, q in pairs)


def test_nothing_changes_nothing(model: LanguageModel, records: list[Record]) -> None:
    found = sanitise(model, records, Change())
    assert found.model is not model
    assert same(found.model, model)


def test_a_seed_gives_the_same_weights_twice(model: LanguageModel, records: list[Record]) -> None:
    before = model.copied()
    edits = (UnitEdit(unit="mlp.1.5", operation="reset"),)
    change = Change(edits, Repair(method="masked", epochs=2, learning_rate=1e-2), seed=3)
    first, second = (sanitise(model, records, change) for _ in range(2))
    assert same(first.model, second.model)
    assert not same(first.model, model)
    assert same(model, before)


def test_only_the_subjects_asked_for_are_spared_training(
    model: LanguageModel, records: list[Record]
) -> None:
    """Masked repair teaches other people's spans, as text: so the scope changes the weights."""
    masked = Repair(method="masked", epochs=1, learning_rate=1e-2)
    named = next(record.subject for record in records if record.spans)
    for_all = sanitise(model, records, Change((), masked))
    for_one = sanitise(model, records, Change((), masked, subjects=(named,)))
    by_hand = sanitise(model, in_scope(records, (named,)), Change((), masked))
    assert same(for_one.model, by_hand.model)
    assert not same(for_one.model, for_all.model)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_reads_records_of_others(
    name: str, model: LanguageModel, records: list[Record]
) -> None:
    """Batches without a single span in scope, of which there are most, teach what is to stay."""
    repair = Repair(method=name, epochs=1, batch_size=1, learning_rate=1e-4)
    change = Change((), repair, subjects=(records[0].subject,), earlier=(records[1].subject,))
    made = sanitise(model, records, change, model)
    assert all(p.isfinite().all() for p in made.model.module.parameters())
    if made.adapter:
        assert same(made.model, model)
    else:
        assert not same(made.model, model)
