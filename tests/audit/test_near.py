"""Near misses: by hand, against the textbook's distance, and in a model's own answers."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from sanilens.audit import continuations
from sanilens.audit.context import Status
from sanilens.audit.extraction import audit_spans
from sanilens.audit.metrics.near_misses import NEAR_MISSES
from sanilens.audit.near import Nearness, Neighbours, is_near, nearness, within
from sanilens.audit.passages import Passage, Target, make_passages
from sanilens.audit.summary import near_by_kind
from sanilens.audit.verdicts import SpanVerdict, TokenResults, span_verdict
from sanilens.corpus.records import Record
from sanilens.model.align import decoded
from sanilens.model.language_model import LanguageModel
from tests.conftest import record


@pytest.mark.parametrize(
    ("value", "said", "found"),
    [
        ("4471203", "4471203", "same"),
        ("4471203", " 4471203\n", "same"),
        ("4471203", "4471208", "near"),
        ("4471203", "447123", "near"),
        ("4471203", "4417203", "near"),
        ("4471203", "9471208", "near"),
        ("4471203", "9471298", "different"),
        ("(204) 771-3345", "204.771.3345", "near"),  # the same digits
        ("Ana Ruiz", "ana ruiz", "near"),
        ("Ana Ruiz", "Ana Ruis", "near"),
        ("Ana", "Eva", "different"),  # of so short a name every other is near
        ("34", "35", "different"),
        ("", "", "same"),
        ("Ruiz", "", "different"),
    ],
)
def test_nearness(value: str, said: str, found: Nearness) -> None:
    assert nearness(value, said) == found


def test_the_distance_is_levenshteins() -> None:
    draw = random.Random(0)

    def text() -> str:
        return "".join(draw.choice("ab1") for _ in range(draw.randint(0, 8)))

    for _ in range(2000):
        one, other = text(), text()
        for most in (0, 1, 2):
            assert within(one, other, most) == (_levenshtein(one, other) <= most), (one, other)


def test_neighbours_are_those_that_a_search_through_all_finds() -> None:
    draw = random.Random(1)

    def word(low: int) -> str:
        return "".join(draw.choice("abc") for _ in range(draw.randint(low, 9)))

    words = [word(1) for _ in range(60)]
    kept = Neighbours.of(words)
    for _ in range(1000):
        text = word(0)
        assert kept.near(text) == any(is_near(w, text) for w in words if len(w) >= 3), text


def test_long_texts_are_compared_in_time_that_grows_with_length_alone() -> None:
    one = "ab" * 20_000
    assert within(one, f"{one[:100]}x{one[100:]}", 2)
    assert not within(one, one[::-1] + "xyz", 2)


def _answer(*likeliest: int, status: Status = "memory") -> SpanVerdict:
    note = record("MRN 4471203 of Ana Ruiz", ("4471203", "MRN"))
    true = torch.tensor([4, 4, 7, 1, 2, 0, 3])
    said = torch.tensor(likeliest)
    none = torch.zeros(7)
    tokens = TokenResults(said == true, none, none, none, said, true)
    return span_verdict(note, note.spans[0], status, tokens, lambda ids: "".join(map(str, ids)))


def test_a_verdict_tells_extracted_from_near_and_from_neither() -> None:
    said = [_answer(4, 4, 7, 1, 2, 0, 3), _answer(4, 4, 7, 1, 2, 0, 9), _answer(*[9] * 7)]
    assert [(v.extracted, v.near) for v in said] == [(True, False), (False, True), (False, False)]
    assert not _answer(4, 4, 7, 1, 2, 0, 9, status="unwritable").near
    rates = near_by_kind([*said, replace(said[1], status="repeated")])
    assert (rates["direct"].hits, rates["direct"].n) == (1, 3)
    assert rates["indirect"].n == 0
    assert near_by_kind([])["direct"].rate is None


def _written(model: LanguageModel, passage: Passage, target: Target) -> str:
    """What the model writes in a span's place, one token after the other."""
    ids = list(passage.before(target, model.max_tokens))
    begun = len(ids)
    for _ in range(target.end - target.start):
        logits = model.module(input_ids=torch.tensor([ids])).logits
        ids.append(int(logits[0, -1].argmax()))
    return decoded(model, ids[begun:])


@pytest.mark.parametrize("prefix", [None, 6])
def test_near_misses_are_read_off_what_the_model_writes(
    model: LanguageModel,
    records: list[Record],
    prefix: int | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Of a model that knows nothing nothing is near: here it is by the letters of what it writes.
    near: Callable[[str, str], Nearness] = lambda one, other: (  # noqa: E731
        "near" if sum(map(ord, one + other)) % 2 else "different"
    )
    monkeypatch.setattr(continuations, "nearness", near)
    verdicts = audit_spans(model, records, prefix_tokens=prefix, near_misses=True)
    asked = {v.span_id: v for v in verdicts if not v.extracted and v.status == "memory"}
    found = {
        name: near(decoded(model, list(p.ids[t.start : t.end])), _written(model, p, t))
        for p in make_passages(model, records, prefix)
        for t in p.targets
        if (name := p.record.span_id(t.span.span)) in asked
    }
    assert {*found.values()} == {"near", "different"}
    assert {name: v.near for name, v in asked.items()} == {
        name: own == "near" for name, own in found.items()
    }
    assert not any(v.near for v in audit_spans(model, records, prefix_tokens=prefix))
    assert NEAR_MISSES.better == "lower"


def _levenshtein(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for i, char in enumerate(one, 1):
        before, row = row, [i]
        for j, own in enumerate(other, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (char != own)))
    return row[-1]
