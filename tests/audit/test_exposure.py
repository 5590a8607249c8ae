"""Exposure: cached prefix or not, the same ranks, on every architecture."""

import math

import pytest
import torch

from sanilens.audit.exposure import Exposure, _mean_logprobs, exposure
from sanilens.audit.passages import make_passages
from sanilens.corpus.records import Record
from sanilens.model.language_model import SubjectModel


def test_bits() -> None:
    assert Exposure(1, 64).bits == 6
    assert Exposure(64, 64).bits == 0
    assert Exposure(2, 64).bits == 5


def test_candidates_from_the_cache_equal_whole_passes(any_subject: SubjectModel) -> None:
    prefix = any_subject.tokenizer("Seen on the ward with 3 weeks of cough")["input_ids"]
    candidates = [[10, 20, 30], [11, 21], [12, 22, 32, 42]]
    want = []
    for ids in candidates:
        with torch.inference_mode():
            logits = any_subject.model(torch.tensor([prefix + ids])).logits[0].log_softmax(-1)
        places = range(len(prefix), len(prefix) + len(ids))
        want.append(
            sum(float(logits[p - 1, i]) for p, i in zip(places, ids, strict=True)) / len(ids)
        )
    assert _mean_logprobs(any_subject, prefix, candidates) == pytest.approx(want, abs=1e-4)


def test_a_rank_among_surrogates(subject: SubjectModel, records: list[Record]) -> None:
    for passage in make_passages(subject, records):
        for target in passage.targets:
            found = exposure(subject, passage, target, count=16)
            assert 1 <= found.rank <= found.candidates <= 17
            assert 0 <= found.bits <= math.log2(found.candidates)
