"""Perplexity equals a plain computation; spans can be left out; long texts are cut."""

import math

import pytest
import torch

from sanilens.audit.extraction import audit_spans
from sanilens.audit.passages import make_passages
from sanilens.audit.perplexity import perplexity, text_logprobs
from sanilens.corpus.records import Record, Span
from sanilens.model.align import encode
from sanilens.model.language_model import LanguageModel


def test_perplexity_equals_the_models_own_loss(
    any_model: LanguageModel, records: list[Record]
) -> None:
    total, count = 0.0, 0
    for record in records:
        ids = torch.tensor([encode(any_model, record).ids])
        with torch.inference_mode():
            total += float(any_model.module(ids, labels=ids).loss) * (ids.shape[1] - 1)
        count += ids.shape[1] - 1
    found = perplexity(any_model, records)
    assert found.tokens == count
    assert found.value == pytest.approx(math.exp(total / count), rel=1e-4)


def test_spans_are_left_out(model: LanguageModel, records: list[Record]) -> None:
    sensitive = sum(s.end - s.start for r in records for s in encode(model, r).spans)
    whole, rest = perplexity(model, records), perplexity(model, records, without_spans=True)
    assert whole.tokens - rest.tokens == sensitive


def test_texts_longer_than_the_model_are_read_in_windows(model: LanguageModel) -> None:
    """Every span of a long record is judged, each in a window that fits the model."""
    text = "The wound is dry. " * 200 + "MRN 4471203."
    places = [text.index("wound"), text.index("dry", 1500), text.index("4471203")]
    record = Record("r", "s", text, tuple(Span(a, a + 3, "X", "direct") for a in places))
    assert len(encode(model, record).ids) > 2 * model.max_tokens
    passages = list(make_passages(model, [record]))
    assert all(len(p.ids) <= model.max_tokens for p in passages)
    assert len(audit_spans(model, [record])) == 3
    # Half a window of prefix at least, where the text has one.
    assert all(
        t.start >= min(model.max_tokens // 2 - 8, t.span.start) for p in passages for t in p.targets
    )
    assert perplexity(model, [record]).tokens > 0


def test_a_long_piece_in_portions_is_the_same(
    model: LanguageModel, records: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few logits fit into memory: the probabilities and verdicts stay."""
    whole, judged = text_logprobs(model, records), audit_spans(model, records)
    for module in ("perplexity", "extraction"):
        monkeypatch.setattr(f"sanilens.audit.{module}.token_budget", lambda _: 7)
    for one, other in zip(whole, text_logprobs(model, records), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
    for one, other in zip(judged, audit_spans(model, records), strict=True):
        assert (one.span_id, one.extracted) == (other.span_id, other.extracted)
