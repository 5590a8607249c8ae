"""Blending: all of the fine-tuning is the model itself, none of it the base, exactly."""

from pathlib import Path

import pytest
import torch

from sanilens.errors import PlanError
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.unlearn.resets import blend_
from tests.conftest import save_tiny


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    return load_model(save_tiny(tmp_path_factory.mktemp("base"), "gpt_neox", seed=1), device="cpu")


def weights(model: LanguageModel) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in model.module.named_parameters()}


@pytest.mark.parametrize("keep", [0.0, 0.3, 1.0])
def test_every_weight_lies_that_far_from_the_base(
    model: LanguageModel, base: LanguageModel, keep: float
) -> None:
    copy, own, start = model.copied(), weights(model), weights(base)
    blend_(copy, base, keep)
    for name, now in weights(copy).items():
        if keep in (0, 1):
            assert torch.equal(now, own[name] if keep else start[name])
        else:
            assert torch.allclose(now, (1 - keep) * start[name] + keep * own[name], atol=1e-6)


def test_it_needs_a_base_of_the_same_shape(model: LanguageModel, tmp_path: Path) -> None:
    blend_(model.copied(), None, 1.0)
    with pytest.raises(PlanError, match="Give one"):
        blend_(model.copied(), None, 0.5)
    other = load_model(save_tiny(tmp_path / "other", "llama"), device="cpu")
    with pytest.raises(PlanError, match="other weights"):
        blend_(model.copied(), other, 0.5)
