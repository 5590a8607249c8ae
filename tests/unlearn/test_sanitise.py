"""A change in one go: nothing changes nothing, a seed decides everything, the original stays."""

import pytest
import torch

from sanilens.corpus.records import Record, in_scope
from sanilens.model.language_model import SubjectModel
from sanilens.unlearn.methods import METHODS
from sanilens.unlearn.plan import Repair, UnitEdit
from sanilens.unlearn.sanitise import Change, sanitise


def same(a: SubjectModel, b: SubjectModel) -> bool:
    pairs = zip(a.model.parameters(), b.model.parameters(), strict=True)
    return all(torch.equal(p, q) for p, q in pairs)


def test_nothing_changes_nothing(subject: SubjectModel, records: list[Record]) -> None:
    found = sanitise(subject, records, Change())
    assert found.subject is not subject
    assert same(found.subject, subject)


def test_a_seed_gives_the_same_weights_twice(subject: SubjectModel, records: list[Record]) -> None:
    before = subject.copied()
    edits = (UnitEdit(unit="mlp.1.5", operation="reset"),)
    change = Change(edits, Repair(method="masked", epochs=2, learning_rate=1e-2), seed=3)
    first, second = (sanitise(subject, records, change) for _ in range(2))
    assert same(first.subject, second.subject)
    assert not same(first.subject, subject)
    assert same(subject, before)


def test_only_the_subjects_asked_for_are_spared_training(
    subject: SubjectModel, records: list[Record]
) -> None:
    """Masked repair teaches other people's spans, as text: so the scope changes the weights."""
    masked = Repair(method="masked", epochs=1, learning_rate=1e-2)
    named = next(record.subject for record in records if record.spans)
    for_all = sanitise(subject, records, Change((), masked))
    for_one = sanitise(subject, records, Change((), masked, subjects=(named,)))
    by_hand = sanitise(subject, in_scope(records, (named,)), Change((), masked))
    assert same(for_one.subject, by_hand.subject)
    assert not same(for_one.subject, for_all.subject)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_reads_records_of_others(
    name: str, subject: SubjectModel, records: list[Record]
) -> None:
    """Batches without a single span in scope, of which there are most, teach what is to stay."""
    repair = Repair(method=name, epochs=1, batch_size=1, learning_rate=1e-4)
    change = Change((), repair, subjects=(records[0].subject,), earlier=(records[1].subject,))
    made = sanitise(subject, records, change, subject)
    assert all(p.isfinite().all() for p in made.subject.model.parameters())
    if made.adapter:
        assert same(made.subject, subject)
    else:
        assert not same(made.subject, subject)
