"""How texts go on, counted by hand."""

from collections import Counter
from itertools import pairwise
from random import Random

import pytest

from sanilens.corpus.records import FREE_TEXT, Record, Span, as_text
from sanilens.model.align import encode
from sanilens.model.language_model import LanguageModel
from sanilens.model.wording import wording

OTHER = Record("a", "a", "What does he do? He sings of the ward. He sings of the wound.")


def answered() -> Record:
    question, own = "What does she do?", "She sings of gold."
    span = Span(len(question) + 1, len(question) + 1 + len(own), FREE_TEXT, "confidential")
    return Record("b", "b", f"{question} {own}", (span,))


def test_what_is_marked_is_no_example(any_model: LanguageModel) -> None:
    own = answered()
    coded = encode(any_model, own)
    marked = range(coded.spans[0].start, coded.spans[0].end)
    pairs = Counter(pairwise(encode(any_model, OTHER).ids))
    pairs.update(p for i, p in enumerate(pairwise(coded.ids), start=1) if i not in marked)
    found = wording(any_model, [own, OTHER])
    assert pairs == {(a, b): n for a, seen in found.after.items() for b, n in seen.items()}
    assert wording(any_model, [*as_text([own]), OTHER]).after != found.after


def test_the_form_of_free_text_is_what_follows_the_word_before(model: LanguageModel) -> None:
    own = answered()
    coded = encode(model, own)
    found = wording(model, [OTHER])
    form = found.form(coded, 0)
    assert form.sum(1).tolist() == pytest.approx([1.0] * len(form))
    span = coded.spans[0]
    for place, row in zip(range(span.start, span.end), form, strict=True):
        seen = found.after.get(coded.ids[place - 1], Counter())
        for token, share in enumerate(row.tolist()):
            prior = 4 * float(found.shares[token])
            assert share == pytest.approx((seen[token] + prior) / (seen.total() + 4), rel=1e-4)


def test_words_are_drawn_as_they_follow_each_other(model: LanguageModel) -> None:
    found = wording(model, [OTHER])
    drawn = [found.draw(model, "She sings of gold.", Random(seed)) for seed in range(20)]
    assert drawn[3] == found.draw(model, "She sings of gold.", Random(3))
    assert len({*drawn}) > 10
    seen = "".join(OTHER.text.split())
    pieces = {word for text in drawn for word in text.split()}
    assert "She" not in pieces
    assert sum(word in seen for word in pieces) > len(pieces) / 2


def test_where_no_word_stays_none_is_drawn(model: LanguageModel) -> None:
    assert wording(model, []).draw(model, "She sings of gold.", Random(0)) == "…"
