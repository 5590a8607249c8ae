"""Training that leaves the numbers stops before the weights do."""

import pytest
import torch
from torch import Tensor

from sanilens.errors import DivergedError
from sanilens.model.language_model import LanguageModel
from sanilens.model.training import Example, Schedule, batch_loss, train_

EXAMPLES = [Example(tuple(range(1, 9)), (True,) * 8) for _ in range(8)]


class _Blown(torch.autograd.Function):
    """A number whose gradient is none."""

    @staticmethod
    def forward(_context: object, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(_context: object, gradient: Tensor) -> Tensor:  # pyright: ignore
        return gradient * torch.nan


@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_the_weights_stay_numbers(model: LanguageModel, what: str) -> None:
    copy = model.copied()
    copy.module.requires_grad_(True)
    seen = 0

    def loss_of(module: torch.nn.Module, batch: object) -> Tensor:
        nonlocal seen
        seen += 1
        loss = batch_loss(module, batch)  # pyright: ignore[reportArgumentType]
        if seen < 3:
            return loss
        return loss * torch.inf if what == "loss" else _Blown.apply(loss)  # pyright: ignore

    steps = train_(
        copy.module, lambda _epoch: EXAMPLES, Schedule(1e-3, 2, 2), seed=0, loss_of=loss_of
    )
    with pytest.raises(DivergedError, match=f"step 3.*{what}") as found:
        for _ in steps:
            pass
    assert found.value.step == 3
    assert all(p.isfinite().all() for p in copy.module.parameters())
    assert not torch.equal(
        copy.module.get_input_embeddings().get_parameter("weight"),
        model.module.get_input_embeddings().get_parameter("weight"),
    )
