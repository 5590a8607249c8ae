"""Logits that are no numbers are refused wherever they are made, one position being enough."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from sanilens.audit.continuations import read_record, say_spans
from sanilens.audit.extraction import audit_spans
from sanilens.audit.metrics.exposure import exposure
from sanilens.audit.metrics.restoration import sensitive_argmax
from sanilens.audit.passages import make_passages
from sanilens.audit.perplexity import perplexity
from sanilens.audit.targets import find_targets
from sanilens.corpus.records import Record
from sanilens.errors import LogitsError
from sanilens.inspect.locate.localisers import Settings, find_localiser
from sanilens.inspect.units.logit_lens import logit_lens
from sanilens.model.forward import logits_at, numbers
from sanilens.model.generation import continue_text
from sanilens.model.hooks import Hooks
from sanilens.model.language_model import LanguageModel


def broken(model: LanguageModel, value: float, place: int | slice) -> Hooks:
    """Hooks that leave no number at one place (or all) of what the last block gives."""

    def edit(_x: Tensor, output: Tensor) -> Tensor:
        output = output.clone()
        output[:, place] = value
        return output

    return Hooks(outputs={model.sites.blocks[-1]: edit})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_one_position_is_enough(
    any_model: LanguageModel, records: list[Record], value: float
) -> None:
    place = next(make_passages(any_model, records)).targets[0].start - 1
    hooks = broken(any_model, value, place)
    with pytest.raises(LogitsError, match="no numbers"):
        audit_spans(any_model, records, hooks=hooks)
    with pytest.raises(LogitsError, match="no numbers"):
        perplexity(any_model, records, hooks=hooks)
    with pytest.raises(LogitsError, match="no numbers"):
        read_record(any_model, records[0], hooks)


@pytest.mark.parametrize("one_by_one", [False, True])
def test_one_gap_is_enough(
    any_masked_subject: LanguageModel, records: list[Record], one_by_one: bool
) -> None:
    hooks = broken(any_masked_subject, float("nan"), slice(None))
    with pytest.raises(LogitsError, match="no numbers"):
        audit_spans(any_masked_subject, records, hooks=hooks, one_by_one=one_by_one)
    with pytest.raises(LogitsError, match="no numbers"):
        perplexity(any_masked_subject, records, hooks=hooks)


@pytest.fixture(scope="module")
def damaged(model: LanguageModel) -> LanguageModel:
    """A model of which one weight is no number, as no loader would give it."""
    copy = model.copied()
    with torch.no_grad():
        next(p for n, p in copy.module.named_parameters() if "dense_4h_to_h" in n)[0, 0] = torch.nan
    return copy


def _exposure(model: LanguageModel, records: list[Record]) -> Any:
    passage = next(make_passages(model, records))
    return exposure(model, passage, passage.targets[0])


@pytest.mark.parametrize(
    "measure",
    [
        _exposure,
        lambda subject, records: say_spans(subject, records[0]),
        lambda subject, _: continue_text(subject, "Seen", 3),
        lambda subject, _: continue_text(subject, "Seen", 3, temperature=1.0),
        sensitive_argmax,
        lambda subject, records: logit_lens(
            subject, records[0], records[0].span_id(records[0].spans[0])
        ),
        lambda subject, records: find_localiser("gradient-activation").score(
            find_targets(subject, records), Settings()
        ),
        lambda subject, records: find_localiser("alignment").score(
            find_targets(subject, records), Settings()
        ),
    ],
    ids=[
        "exposure",
        "sayings",
        "greedy",
        "sampled",
        "restoration",
        "lens",
        "gradient",
        "alignment",
    ],
)
def test_nothing_is_measured_on_a_damaged_model(
    damaged: LanguageModel,
    records: list[Record],
    measure: Callable[[LanguageModel, list[Record]], Any],
) -> None:
    with pytest.raises(LogitsError, match="no numbers"):
        measure(damaged, records)


def test_a_token_may_be_ruled_out(model: LanguageModel) -> None:
    logits = torch.zeros(2, 4)
    logits[:, 1] = -torch.inf
    assert numbers(model, logits) is logits
    logits[1] = -torch.inf
    with pytest.raises(LogitsError, match="1 of 2 positions"):
        numbers(model, logits)


def test_sound_logits_pass(any_model: LanguageModel) -> None:
    zero = torch.zeros(1, dtype=torch.long)
    found = logits_at(any_model, torch.tensor([[1, 2]]), zero, zero)
    assert found.isfinite().all()
