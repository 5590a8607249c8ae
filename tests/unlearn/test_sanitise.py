"""A change in one go: nothing changes nothing, a seed decides everything, the original stays."""

import torch

from sanilens.corpus.records import Record
from sanilens.model.subject import SubjectModel
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
