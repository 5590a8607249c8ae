"""Span to tokens and back, for any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanilens.corpus.records import Record, Span
from sanilens.model.align import encode, token_texts
from sanilens.model.language_model import LanguageModel

UNICODE = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


@given(data=st.data(), text=UNICODE)
def test_span_tokens_cover_the_span_and_no_more(
    model: LanguageModel, data: st.DataObject, text: str
) -> None:
    """Byte-level tokens split characters; the span's tokens are exactly those that touch it."""
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    encoded = encode(model, Record("r", "s", text, (Span(start, end, "X", "direct"),)))
    (span,) = encoded.spans
    touching = [i for i, (a, b) in enumerate(encoded.offsets) if a < end and b > start]
    assert (span.start, span.end) == (touching[0], touching[-1] + 1)
    assert touching == list(range(span.start, span.end))
    ids = list(encoded.ids[span.start : span.end])
    assert text[start:end] in model.tokenizer.decode(ids) or "\ufffd" in model.tokenizer.decode(ids)


@given(text=UNICODE)
def test_token_texts_make_the_text(model: LanguageModel, text: str) -> None:
    encoded = encode(model, Record("r", "s", text))
    assert "".join(token_texts(model, encoded)) == text


@pytest.mark.parametrize(
    "text", ["naïve 北京 🙂", "a\u0301b", "👩‍👩‍👧", "\u202eevil\u202c", "tab\tnew\nline"]
)
def test_every_architecture_aligns(any_model: LanguageModel, text: str) -> None:
    encoded = encode(any_model, Record("r", "s", text, (Span(0, len(text), "X", "direct"),)))
    assert encoded.spans[0].end == len(encoded.ids)


def test_many_spans_in_a_long_record_are_aligned_as_one_by_one(model: LanguageModel) -> None:
    text = "Ana Ruiz 🙂, MRN 4711923; née Zażółć. " * 40
    spans = tuple(Span(at, at + 3, "X", "direct") for at in range(0, len(text) - 3, 5))
    encoded = encode(model, Record("r", "s", text, spans))
    for token_span, span in zip(encoded.spans, spans, strict=True):
        inside = [i for i, (a, b) in enumerate(encoded.offsets) if a < span.end and b > span.start]
        assert (token_span.start, token_span.end) == (inside[0], inside[-1] + 1)
