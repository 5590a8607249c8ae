"""Exposure: cached prefix or not, the same ranks, on every architecture."""

import math

import pytest
import torch

from sanilens.audit.metrics.exposure import Exposure, exposure, mean_logprobs
from sanilens.audit.passages import make_passages
from sanilens.corpus.records import Record
from sanilens.model.language_model import LanguageModel


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
