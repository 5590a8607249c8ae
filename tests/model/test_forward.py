"""A forward pass: logits that are no numbers are refused, and first layers may be remembered."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from sanilens.audit.continuations import continue_spans, read_record
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
from sanilens.model.forward import logits_at, numbers, remembering
from sanilens.model.generation import continue_text
from sanilens.model.hooks import Hooks, hooked
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
        lambda subject, records: continue_spans(subject, records[0]),
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


IDS = torch.tensor([[0, 40, 50, 60, 70, 80], [0, 41, 51, 61, 71, 81]])


def test_it_is_the_same_model(any_model: LanguageModel) -> None:
    quick = remembering(any_model, 2)
    with torch.inference_mode():
        for ids in (IDS, IDS.flip(1), IDS):
            assert torch.equal(quick.module(ids).logits, any_model.module(ids).logits)


def test_a_batch_runs_through_the_first_layers_once(any_model: LanguageModel) -> None:
    quick, runs = remembering(any_model, 1), []
    first, second = (any_model.sites.mlps[layer].out for layer in (0, 1))

    def count(path: str):
        return quick.module.get_submodule(path).register_forward_hook(lambda *_: runs.append(path))

    handles = [count(first), count(second)]
    with torch.inference_mode():
        quick.module(IDS)
        quick.module(IDS)
    assert runs.count(first) == 1
    assert runs.count(second) == 2
    for handle in handles:
        handle.remove()


def test_gradients_reach_what_comes_after_an_inference(any_model: LanguageModel) -> None:
    """What inference mode remembered must not stop a later backward pass."""
    quick = remembering(any_model, 1)
    with torch.inference_mode():
        quick.module(IDS)
    found: list[torch.Tensor] = []

    def leaf(_x: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        found.append(output.detach().requires_grad_())
        return found[-1]

    slopes = []
    for model in (quick, any_model):
        path = model.sites.mlps[1].out
        with torch.enable_grad(), hooked(model.module, Hooks(outputs={path: leaf})):
            loss = model.module(IDS).logits.square().sum()
        slopes += torch.autograd.grad(loss, [found[-1]])
    assert torch.allclose(slopes[0], slopes[1])
