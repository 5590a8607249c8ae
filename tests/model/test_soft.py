"""Distributions in short against torch on the whole ones."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import kl_div

from sanilens.model.soft import formal, soften


def test_a_secret_keeps_what_an_invented_value_has_at_most() -> None:
    form = torch.tensor([[0.1, 0.6, 0.3], [0.0, 0.5, 0.5], [1.0, 0.0, 0.0], [0.8, 0.2, 0.0]])
    probs = torch.tensor([[0.7, 0.1, 0.2], [1.0, 0.0, 0.0], [0.9, 0.1, 0.0], [0.4, 0.3, 0.3]])
    found = formal(probs, torch.zeros(4).long(), form, torch.tensor([0.2, 0.02, 0.1, 0.1]))
    expected = [
        [0.2, 0.1 + 0.5 * 6 / 9, 0.2 + 0.5 * 3 / 9],
        [0.02, 0.49, 0.49],
        [0.9, 0.1, 0.0],  # a dash that every one has
        [0.4, 0.3, 0.3],  # less than its form tells
    ]
    torch.testing.assert_close(found, torch.tensor(expected))


def test_what_is_taken_of_a_certain_secret_adds_up() -> None:
    """Where 1 - p of float32 is rounding."""
    logits = torch.zeros(2, 300)
    logits[0, 7], logits[1, 7] = 21.0, 200.0
    form, usual = torch.full((2, 300), 1 / 300), torch.full((2,), 0.05)
    found = formal(logits.softmax(-1), torch.tensor([7, 7]), form, usual)
    torch.testing.assert_close(found.sum(1), torch.ones(2))
    assert float(found.max()) == pytest.approx(0.05)


def distributions() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(6, 50, generator=generator)
    return (3 * torch.randn(6, 50, generator=generator)).softmax(-1), logits


def test_kl_over_the_whole_vocabulary_is_torchs() -> None:
    probs, logits = distributions()
    soft = soften(probs, top=50)
    expected = kl_div(logits.log_softmax(-1), probs, reduction="none").sum(1)
    torch.testing.assert_close(soft.kl(logits), expected, rtol=1e-4, atol=1e-5)


def test_kl_of_fewer_is_a_lower_bound_that_grows() -> None:
    probs, logits = distributions()
    found = [soften(probs, top=top).kl(logits) for top in (5, 20, 50)]
    assert (found[0] <= found[1] + 1e-5).all()
    assert (found[1] <= found[2] + 1e-5).all()
    assert (found[0] >= -1e-5).all()
    assert (found[0] < found[2]).any()


def test_kl_is_none_where_both_say_the_same_and_a_number_where_tokens_are_ruled_out() -> None:
    probs, _ = distributions()
    soft = soften(probs, top=20)
    torch.testing.assert_close(soft.kl(probs.log()), torch.zeros(6), atol=1e-5, rtol=0)
    sparse = torch.zeros(1, 50)
    sparse[0, :3] = 1 / 3
    logits = torch.zeros(1, 50, requires_grad=True)
    ruled = logits.masked_fill(torch.arange(50) > 40, -torch.inf)
    loss = soften(sparse, top=50).kl(ruled)
    (gradient,) = torch.autograd.grad(loss.sum(), [logits])
    assert loss.isfinite().all()
    assert gradient.isfinite().all()


def test_kl_pulls_towards_the_teacher() -> None:
    probs, logits = distributions()
    soft = soften(probs, top=50)
    logits.requires_grad_()
    (gradient,) = torch.autograd.grad(soft.kl(logits).sum(), [logits])
    torch.testing.assert_close(gradient, logits.softmax(-1) - probs, rtol=1e-3, atol=1e-4)
