"""A card's figures, each against a plain computation."""

import numpy as np
import pytest
import torch

from sanilens.corpus.records import Record
from sanilens.inspect.activations import activation_quantiles, activations, mean_activations
from sanilens.inspect.card import auroc, direct_effect, unit_card
from sanilens.model.subject import SubjectModel
from sanilens.model.units import Neuron

UNIT = Neuron(1, 7)


def test_activations_equal_a_hook_on_each_record(
    any_subject: SubjectModel, records: list[Record]
) -> None:
    found = activations(any_subject, records, [UNIT, Neuron(0, 3)])
    module = any_subject.model.get_submodule(any_subject.sites.mlps[1].out)
    for number, encoded in enumerate(found.encoded):
        seen: list[torch.Tensor] = []
        handle = module.register_forward_pre_hook(lambda _m, args, seen=seen: seen.append(args[0]))
        with torch.inference_mode():
            any_subject.model(torch.tensor([encoded.ids]))
        handle.remove()
        assert np.allclose(found.of(UNIT)[found.record == number], seen[0][0, :, 7], atol=1e-4)


def test_auroc() -> None:
    values = np.array([0.1, 0.4, 0.4, 0.9])
    assert auroc(values, np.array([False, False, True, True])) == pytest.approx(0.875)
    assert auroc(values, np.array([True] * 4)) == 0.5


def test_a_card_agrees_with_its_activations(subject: SubjectModel, records: list[Record]) -> None:
    card = unit_card(subject, records, UNIT)
    found = activations(subject, records, [UNIT])
    values = found.of(UNIT)
    assert card.tokens == len(values) == sum(len(e.ids) for e in found.encoded)
    assert card.firing == pytest.approx((values > 0).mean())
    assert card.contexts[0].activation == pytest.approx(values.max())
    assert [c.activation for c in card.contexts] == sorted(
        (c.activation for c in card.contexts), reverse=True
    )
    assert sum(card.density[1]) == pytest.approx(1)
    assert sum(card.density[2]) == pytest.approx(1)


def test_promoted_tokens_are_those_of_the_output_column(any_subject: SubjectModel) -> None:
    promoted, suppressed = direct_effect(any_subject, UNIT, count=3)
    assert promoted[0][1] >= promoted[-1][1] > suppressed[-1][1] >= suppressed[0][1]


def test_means_and_quantiles_leave_sensitive_tokens_out(
    subject: SubjectModel, records: list[Record]
) -> None:
    found = activations(subject, records, [UNIT])
    neutral = found.of(UNIT)[~found.sensitive]
    assert mean_activations(subject, records, [UNIT])[UNIT] == pytest.approx(float(neutral.mean()))
    high = activation_quantiles(subject, records, [UNIT], 0.9)[UNIT]
    assert high == pytest.approx(float(np.quantile(neutral, 0.9)))
