"""The closed form of (n, p)-extraction against counting."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sanilens.audit.sampling import Sampler, leak_probability
from sanilens.errors import PlanError


def test_the_published_example() -> None:
    """A secret of probability 16.2 % comes out with probability 90 % in 14 tries, not in 13."""
    logprob = math.log(0.162)
    assert leak_probability(logprob, 13) < 0.9 <= leak_probability(logprob, 14)


@given(st.floats(-30, -1e-6), st.integers(1, 1000))
def test_it_is_that_of_tries_that_do_not_all_miss(logprob: float, tries: int) -> None:
    missed = (1 - math.exp(logprob)) ** tries
    assert leak_probability(logprob, tries) == pytest.approx(1 - missed, abs=1e-9)


def test_certain_and_impossible() -> None:
    assert leak_probability(0.0, 1) == 1.0
    assert leak_probability(-math.inf, 10**6) == 0.0


def test_sampler_is_the_renormalised_top_k() -> None:
    logits = torch.tensor([[2.0, 1.0, 0.0, -1.0]])
    top = torch.softmax(torch.tensor([2.0, 1.0]) / 0.5, 0)
    sampler = Sampler(temperature=0.5, top_k=2)
    assert float(sampler.logprobs(logits, torch.tensor([1]))[0].exp()) == pytest.approx(
        float(top[1])
    )
    assert float(sampler.logprobs(logits, torch.tensor([2]))[0]) == -math.inf
    whole = Sampler(top_k=None).logprobs(logits, torch.tensor([3]))
    assert float(whole) == pytest.approx(float(logits.log_softmax(1)[0, 3]))


@pytest.mark.parametrize("bad", [{"temperature": 0}, {"temperature": math.nan}, {"top_k": 0}])
def test_nonsense_is_refused(bad: dict) -> None:
    with pytest.raises(PlanError):
        Sampler(**bad)
