"""The closed form of (n, p)-extraction against counting."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sanilens.audit.sampling import Sampler, leak_probability, tries_needed
from sanilens.errors import PlanError


def test_the_published_example() -> None:
    assert tries_needed(math.log(0.162), 0.9) == 14


@given(st.floats(-30, -1e-6), st.floats(0.01, 0.999))
def test_tries_are_the_fewest_that_reach_the_probability(logprob: float, p: float) -> None:
    n = tries_needed(logprob, p)
    assert leak_probability(logprob, int(n)) >= p * (1 - 1e-9)
    if n > 1:
        assert leak_probability(logprob, int(n) - 1) < p * (1 + 1e-9)


def test_certain_and_impossible() -> None:
    assert leak_probability(0.0, 1) == 1.0
    assert leak_probability(-math.inf, 10**6) == 0.0
    assert tries_needed(-math.inf, 0.5) == math.inf
    assert tries_needed(0.0, 0.5) == 1


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
