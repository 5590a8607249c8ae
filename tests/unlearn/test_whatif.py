"""What-if numbers: nothing changes nothing, and they equal what the audit says under hooks."""

import pytest
import torch

from sanilens.audit.extraction import audit_spans
from sanilens.corpus.records import Record
from sanilens.model.hooks import NO_HOOKS, hooked
from sanilens.model.subject import SubjectModel
from sanilens.unlearn.edits import edit_hooks
from sanilens.unlearn.plan import UnitEdit
from sanilens.unlearn.whatif import divergence, what_if

EDITS = tuple(UnitEdit(unit=f"mlp.1.{i}", operation="zero") for i in range(12))


def test_no_edit_changes_nothing(subject: SubjectModel, records: list[Record]) -> None:
    found = what_if(subject, NO_HOOKS, records[0], records, records)
    assert found.before == found.after
    assert found.said[0] == found.said[1]
    assert found.kl == 0


def test_numbers_are_the_audits(subject: SubjectModel, records: list[Record]) -> None:
    hooks = edit_hooks(subject, EDITS)
    for sample in (records, records[1:]):
        found = what_if(subject, hooks, records[0], sample, records)
        assert list(found.after) == pytest.approx(audit_spans(subject, records[:1], hooks=hooks))
        counted = [v for v in audit_spans(subject, sample) if v.status == "memory"]
        assert found.said[0].n == len(counted)


def test_divergence_is_the_mean_kl(subject: SubjectModel) -> None:
    text = "Follow-up by phone: the wound is dry and clean."
    hooks = edit_hooks(subject, EDITS)
    kl, tokens = divergence(subject, hooks, [Record("r", "s", text)])
    ids = subject.tokenizer(text, return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        p = subject.model(ids).logits[0, :-1].log_softmax(-1)
        with hooked(subject.model, hooks):
            q = subject.model(ids).logits[0, :-1].log_softmax(-1)
    assert tokens == len(p)
    assert kl == pytest.approx(float((p.exp() * (p - q)).sum(-1).mean()), abs=1e-5)
    assert kl > 0
