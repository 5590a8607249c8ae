"""(n, p)-discoverable extraction in closed form (Hayes et al., arXiv 2410.19482).

p_z = prod_t q(s_t | prefix, s_<t),   q the sampler's own distribution
a secret leaks in n tries with probability at least p  <=>  1 - (1 - p_z)^n >= p
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sanilens.errors import PlanError


@dataclass(frozen=True, slots=True)
class Sampler:
    """The sampler that an attacker is assumed to use: temperature, then top-k renormalised."""

    temperature: float = 1.0
    top_k: int | None = 40

    def __post_init__(self) -> None:
        if not (self.temperature > 0 and math.isfinite(self.temperature)):
            raise PlanError(f"temperature is {self.temperature}; it must be a positive number.")
        if self.top_k is not None and self.top_k < 1:
            raise PlanError(f"top_k is {self.top_k}; it must be at least 1, or left out.")

    def logprobs(
        self, logits: Float[Tensor, "n vocab"], ids: Int[Tensor, " n"]
    ) -> Float[Tensor, " n"]:
        """log q of each id, in nats; -inf for a token outside the top k."""
        scaled = logits / self.temperature
        own = scaled.gather(1, ids[:, None])[:, 0]
        if self.top_k is None or self.top_k >= logits.shape[1]:
            return own - scaled.logsumexp(1)
        top = scaled.topk(self.top_k, dim=1).values
        return torch.where(own >= top[:, -1], own - top.logsumexp(1), -math.inf)

    def draw(
        self, logits: Float[Tensor, "n vocab"], generator: torch.Generator
    ) -> Int[Tensor, " n"]:
        """A token of each row, drawn as the sampler does."""
        scaled = logits / self.temperature
        if self.top_k is not None and self.top_k < logits.shape[1]:
            top = scaled.topk(self.top_k, dim=1)
            place = torch.multinomial(top.values.softmax(1), 1, generator=generator)
            return top.indices.gather(1, place)[:, 0]
        return torch.multinomial(scaled.softmax(1), 1, generator=generator)[:, 0]


def leak_probability(span_logprob: float, tries: int) -> float:
    """Probability that at least one of `tries` samples is the secret, `1 - (1 - p_z)^n`.

    >>> round(leak_probability(math.log(0.5), tries=3), 3)
    0.875
    """
    if span_logprob >= 0:
        return 1.0
    return -math.expm1(tries * math.log1p(-math.exp(span_logprob)))
