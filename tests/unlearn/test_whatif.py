"""What-if numbers: nothing changes nothing, and they equal what the audit says under hooks."""

import pytest
import torch

from sanilens.audit.extraction import audit_spans
from sanilens.audit.summary import memory, rate_row
from sanilens.corpus.records import Record
from sanilens.model.hooks import NO_HOOKS, Hooks, hooked
from sanilens.model.language_model import LanguageModel
from sanilens.unlearn import whatif
from sanilens.unlearn.edits import edit_hooks
from sanilens.unlearn.plan import UnitEdit
from sanilens.unlearn.whatif import Probe

EDITS = (
    *(UnitEdit(unit=f"mlp.1.{i}", operation="zero") for i in range(12)),
    UnitEdit(unit="head.2.1", operation="zero"),
)
NEUTRAL = "Follow-up by phone: the wound is dry and clean."


def mean_kl(model: LanguageModel, text: str, hooks: Hooks) -> float:
    ids = model.tokenizer(text, return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        p = model.module(ids).logits[0, :-1].log_softmax(-1)
        with hooked(model.module, hooks):
            q = model.module(ids).logits[0, :-1].log_softmax(-1)
    return float((p.exp() * (p - q)).sum(-1).mean())


def test_no_edit_changes_nothing(model: LanguageModel, records: list[Record]) -> None:
    probe = Probe(model, records, records)
    assert probe.effect(NO_HOOKS) == probe.original
    assert probe.original.figure("kl") == 0


def test_numbers_are_the_audits(model: LanguageModel, records: list[Record]) -> None:
    hooks = edit_hooks(model, EDITS)
    probe = Probe(model, records, ())
    for found, how in ((probe.original, NO_HOOKS), (probe.effect(hooks), hooks)):
        asked = memory(audit_spans(model, records, hooks=how))
        assert found.rate() == rate_row(asked)
        assert found.logprob() == pytest.approx(sum(v.logprob for v in asked) / len(asked))
    assert probe.original.logprob() != probe.effect(hooks).logprob()
    assert (probe.effect(hooks).figure("kl"), probe.tokens) == (0, 0)


@pytest.mark.parametrize("kept", [0, 2**25])
def test_divergence_is_the_mean_kl(
    model: LanguageModel, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    """Whether the original's probabilities are kept or computed again."""
    monkeypatch.setattr(whatif, "_KEPT", kept)
    probe = Probe(model, (), [Record("r", "s", NEUTRAL)])
    assert probe.tokens == len(model.tokenizer(NEUTRAL)["input_ids"]) - 1
    hooks = edit_hooks(model, EDITS)
    for _ in range(2):
        assert probe.kl(hooks) == pytest.approx(mean_kl(model, NEUTRAL, hooks), abs=1e-5)
    assert probe.kl(hooks) > 0


def test_sensitive_tokens_are_no_neutral_text(model: LanguageModel, records: list[Record]) -> None:
    spans = sum(s.end - s.start for r in records for s in whatif.encode(model, r).spans)
    every = Probe(model, (), [Record(r.id, r.subject, r.text) for r in records])
    assert Probe(model, (), records).tokens == every.tokens - spans
