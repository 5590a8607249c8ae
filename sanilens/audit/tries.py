"""What an attacker who samples n times gets: (n, p)-extraction over a set of verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass

from sanilens.audit.extraction import SpanVerdict
from sanilens.audit.sampling import leak_probability


@dataclass(frozen=True, slots=True)
class AfterTries:
    """Of `n` spans, how many leak at least once in the tries.

    expected: the sum of the spans' probabilities. likely: how many reach the probability p.
    """

    expected: float
    likely: int
    n: int


def after_tries(verdicts: Sequence[SpanVerdict], tries: int, probability: float) -> AfterTries:
    """Expected and likely leaks of `verdicts` after `tries` samples of each span's prefix."""
    leaks = [leak_probability(v.sampler_logprob, tries) for v in verdicts]
    return AfterTries(sum(leaks), sum(leak >= probability for leak in leaks), len(leaks))
