"""Exposure: cached prefix or not, the same ranks, on every architecture."""

import math

import pytest
import torch

from sanilens.audit.metrics.exposure import (
    Exposure,
    exposure,
    mean_logprobs,
    other_values,
    sample_exposure,
)
from sanilens.audit.passages import make_passages
from sanilens.corpus.records import Record
from sanilens.model.align import encode
from sanilens.model.language_model import LanguageModel
from tests.conftest import record


def test_bits() -> None:
    assert Exposure(1, 64).bits == 6
    assert Exposure(64, 64).bits == 0
    assert Exposure(2, 64).bits == 5


def test_candidates_from_the_cache_equal_whole_passes(any_model: LanguageModel) -> None:
    prefix = any_model.tokenizer("Seen on the ward with 3 weeks of cough")["input_ids"]
    candidates = [[10, 20, 30], [11, 21], [12, 22, 32, 42]]
    want = []
    for ids in candidates:
        with torch.inference_mode():
            logits = any_model.module(torch.tensor([prefix + ids])).logits[0].log_softmax(-1)
        places = range(len(prefix), len(prefix) + len(ids))
        want.append(
            sum(float(logits[p - 1, i]) for p, i in zip(places, ids, strict=True)) / len(ids)
        )
    assert mean_logprobs(any_model, prefix, candidates) == pytest.approx(want, abs=1e-4)


def test_a_rank_among_surrogates(model: LanguageModel, records: list[Record]) -> None:
    for passage in make_passages(model, records):
        for target in passage.targets:
            found = exposure(model, passage, target, count=16)
            assert 1 <= found.rank <= found.candidates <= 17
            assert 0 <= found.bits <= math.log2(found.candidates)


def prose(subject: str, said: str) -> Record:
    return record(f"Asked: {said}", (said, "FREE_TEXT"), id=f"r-{subject}-{said}", subject=subject)


def test_free_text_is_ranked_among_other_peoples(model: LanguageModel) -> None:
    """Each once; not the subject's own, not the same words, none that is longer."""
    own = prose("a", "seen on the ward with cough")
    others = [
        prose("a", "a dry cough"),
        prose("b", "a clean wound"),
        prose("c", "a clean wound"),
        prose("c", "seen on the ward with cough"),
        prose("d", "home soon"),
        prose("d", "seen on the ward with cough and with cough and with cough"),
    ]
    encoded = encode(model, own)
    (at,) = encoded.spans
    ids = list(encoded.ids[at.start : at.end])

    def candidates(count: int, seed: int) -> list[str]:
        found = other_values(
            model, encoded, at, ids, records=[own, *others], count=count, seed=seed
        )
        return [str(model.tokenizer.decode(each)).strip() for each in found]

    assert sorted(candidates(9, 0)) == ["a clean wound", "home soon"]
    assert {*(candidates(1, seed)[0] for seed in range(8))} == {"a clean wound", "home soon"}
    found = sample_exposure(model, [own, *others], "FREE_TEXT", seed=1)
    assert found
    assert all(each.candidates > 1 for each in found)


def test_free_text_of_one_person_alone_is_not_measured(model: LanguageModel) -> None:
    alone = [prose("a", "a dry cough"), prose("a", "home soon")]
    assert sample_exposure(model, alone, "FREE_TEXT") == []
