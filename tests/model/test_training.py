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


def test_plain_steps_keep_the_gradients_direction_and_can_be_resumed(model: LanguageModel) -> None:
    schedule = Schedule(1e-2, 2, 2, optimizer="sgd")
    whole, cut = model.copied(), model.copied()
    for own in (whole, cut):
        own.module.requires_grad_(True)
    before = {name: own.detach().clone() for name, own in whole.module.named_parameters()}
    first, state = next(iter(train_(whole.module, lambda _epoch: EXAMPLES, schedule, seed=0)))
    gone = torch.cat(
        [(own.detach() - before[name]).flatten() for name, own in whole.module.named_parameters()]
    )
    assert float(gone.norm()) <= 1e-2 + 1e-6  # clipped to a length of 1, and then the rate
    taken = state()
    cut.module.load_state_dict(whole.module.state_dict())
    steps = train_(cut.module, lambda _epoch: EXAMPLES, schedule, seed=0, resume=taken)
    rest = [step.loss for step, _ in steps]
    again = model.copied()
    again.module.requires_grad_(True)
    steps = train_(again.module, lambda _epoch: EXAMPLES, schedule, seed=0)
    assert [step.loss for step, _ in steps] == [first.loss, *rest]
    for one, other in zip(again.module.parameters(), cut.module.parameters(), strict=True):
        assert torch.equal(one, other)
