"""Restoration: what the models say, and what became of the tokens that were learnt."""

import math

import torch

from sanilens.audit.extraction import audit_spans
from sanilens.audit.metrics.restoration import Argmax, restoration, sensitive_argmax
from sanilens.corpus.records import Record
from sanilens.model.language_model import LanguageModel


def said(tokens: list[int]) -> Argmax:
    return Argmax(torch.tensor(tokens), torch.tensor([1, 2, 3, 4, 5]))


def test_shares_of_what_the_fine_tuning_changed() -> None:
    before, base = said([1, 2, 3, 9, 5]), said([7, 7, 7, 7, 5])
    # Tokens 0 to 2 are changed; the fourth was never said, the fifth the base says too.
    found = restoration(before, base, said([7, 2, 8, 7, 7]))
    assert (found.restored, found.still_extracted, found.n) == (1 / 3, 1 / 3, 3)
    assert math.isclose(found.elsewhere, 1 / 3)
    assert restoration(before, base, base).restored == 1
    assert restoration(before, base, before).still_extracted == 1
    assert restoration(base, base, base).n == 0


def test_it_agrees_with_the_verdicts(model: LanguageModel, records: list[Record]) -> None:
    found = sensitive_argmax(model, records)
    verdicts = [v for v in audit_spans(model, records) if v.status != "no_prefix"]
    assert len(found.argmax) == len(found.true) == sum(len(v.token_logprobs) for v in verdicts)
    right = (found.argmax == found.true).split([len(v.token_logprobs) for v in verdicts])
    assert [bool(own.all()) for own in right] == [v.extracted for v in verdicts]
