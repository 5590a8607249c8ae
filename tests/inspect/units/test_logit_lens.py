"""The logit lens: its last row is the model's own answer, its residuals are TransformerLens's."""

import numpy as np
import pytest
import torch
from transformer_lens.model_bridge import TransformerBridge
from transformers import AutoModelForCausalLM, AutoTokenizer

from sanilens.audit.extraction import audit_spans
from sanilens.corpus.records import Record, Span
from sanilens.errors import PlanError
from sanilens.inspect.units.logit_lens import LogitLens, logit_lens
from sanilens.model.align import encode
from sanilens.model.hooks import NO_HOOKS, hooked
from sanilens.model.interventions import zeroed
from sanilens.model.language_model import LanguageModel
from sanilens.model.lens import residuals
from sanilens.model.units import Head, Neuron

IDS = torch.tensor([[0, 40, 50, 60, 70, 80]])


def some_hooks(model: LanguageModel):
    return zeroed(model, [Neuron(0, i) for i in range(30)] + [Head(1, 2)])


@pytest.mark.parametrize("edited", [False, True])
def test_the_last_row_is_what_the_audit_says(
    any_model: LanguageModel, records: list[Record], edited: bool
) -> None:
    hooks = some_hooks(any_model) if edited else NO_HOOKS
    for record in records:
        for verdict in audit_spans(any_model, [record], hooks=hooks):
            found = logit_lens(any_model, record, verdict.span_id, hooks)
            assert found.logprobs.shape == (4, len(verdict.token_logprobs)) == found.ranks.shape
            assert found.logprobs[-1] == pytest.approx(verdict.token_logprobs, abs=1e-5)
            assert (found.ranks[-1] == 1).all() == verdict.extracted


def test_every_row_is_read_through_the_models_own_head(
    any_model: LanguageModel, records: list[Record]
) -> None:
    """Row l is the answer of a model whose blocks from l on are skipped."""
    record = records[0]
    encoded = encode(any_model, record)
    span = encoded.spans[0]
    found = logit_lens(any_model, record, record.span_id(span.span))
    ids = torch.tensor([encoded.ids])
    kept: list[torch.Tensor] = []
    with torch.inference_mode(), hooked(any_model.module, residuals(any_model, kept)):
        any_model.module(ids)
    assert len(kept) == 4
    model, sites = any_model.module, any_model.sites
    assert sites.final_norm
    norm, head = model.get_submodule(sites.final_norm), model.get_submodule(sites.unembed)
    cap = getattr(model.config, "final_logit_softcapping", None)
    for row, residual in enumerate(kept):
        with torch.inference_mode():
            logits = head(norm(residual))[0, span.start - 1 : span.end - 1]
        logits = cap * torch.tanh(logits / cap) if cap else logits
        tokens = list(encoded.ids[span.start : span.end])
        want = logits.log_softmax(-1)[range(len(tokens)), tokens]
        assert found.logprobs[row] == pytest.approx(want.tolist(), abs=1e-4)
        order = logits.argsort(-1, descending=True)
        ranks = [
            1 + row_order.tolist().index(t) for row_order, t in zip(order, tokens, strict=True)
        ]
        assert found.ranks[row].tolist() == ranks


def test_residuals_equal_transformer_lens(any_model: LanguageModel) -> None:
    own = AutoModelForCausalLM.from_pretrained(
        any_model.path, dtype=torch.float32, attn_implementation="eager"
    )
    tokenizer = AutoTokenizer.from_pretrained(any_model.path)
    bridge = TransformerBridge.boot_transformers(
        str(any_model.path), hf_model=own, tokenizer=tokenizer, device="cpu"
    )
    _, cache = bridge.run_with_cache(IDS)
    kept: list[torch.Tensor] = []
    with torch.inference_mode(), hooked(any_model.module, residuals(any_model, kept)):
        any_model.module(IDS)
    names = ["blocks.0.hook_resid_pre", *(f"blocks.{i}.hook_resid_post" for i in range(3))]
    for name, ours in zip(names, kept, strict=True):
        assert torch.allclose(ours, cache[name], atol=1e-4, rtol=1e-5), name


def test_a_plan_changes_what_follows_it_and_nothing_before(
    model: LanguageModel, records: list[Record]
) -> None:
    record = records[1]
    span_id = record.span_id(record.spans[0])
    before = logit_lens(model, record, span_id)
    after = logit_lens(model, record, span_id, zeroed(model, [Neuron(1, i) for i in range(48)]))
    assert np.array_equal(before.logprobs[:2], after.logprobs[:2])
    assert not np.array_equal(before.logprobs[2], after.logprobs[2])


def test_a_long_record_is_read_as_the_audit_reads_it(model: LanguageModel) -> None:
    text = "the wound is dry and clean. " * 40 + "MRN 4471203."
    start = text.index("4471203")
    record = Record("long", "s", text, (Span(start, start + 7, "MRN", "direct"),))
    (verdict,) = audit_spans(model, [record])
    assert len(encode(model, record).ids) > model.max_tokens
    found = logit_lens(model, record, verdict.span_id)
    assert found.logprobs[-1] == pytest.approx(verdict.token_logprobs, abs=1e-5)
    assert found.positions == tuple(range(*token_range(model, record)))


def token_range(model: LanguageModel, record: Record) -> tuple[int, int]:
    (span,) = encode(model, record).spans
    return span.start, span.end


def test_in_pieces_it_is_the_same(
    model: LanguageModel, records: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = records[1]
    span_id = record.span_id(record.spans[0])
    whole = logit_lens(model, record, span_id)
    monkeypatch.setattr("sanilens.inspect.units.logit_lens.token_budget", lambda _subject: 8)
    pieces = logit_lens(model, record, span_id)
    assert whole.logprobs.shape[1] > 2
    assert np.allclose(whole.logprobs, pieces.logprobs, atol=1e-5)
    assert np.array_equal(whole.ranks, pieces.ranks)


def test_where_it_becomes_the_answer() -> None:
    ranks = np.array([[9, 1, 5], [1, 1, 1], [2, 1, 1], [1, 1, 1]])
    lens = LogitLens((4, 5, 6), np.zeros((4, 3)), ranks)
    assert lens.settled == (3, 0, 1)
    assert lens.answer == 3
    never = LogitLens((4,), np.zeros((4, 1)), np.array([[1], [1], [1], [2]]))
    assert never.settled == (None,)
    assert never.answer is None


def test_a_span_that_cannot_be_read_is_told(model: LanguageModel, records: list[Record]) -> None:
    with pytest.raises(PlanError, match="no span"):
        logit_lens(model, records[0], "r-1@1-2")
