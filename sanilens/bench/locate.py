"""Located units against random ones: zeroed without repair, what is still said?"""

import statistics
from collections.abc import Sequence

from sanilens.audit.extraction import audit_spans
from sanilens.audit.summary import memory
from sanilens.audit.utility import perplexity
from sanilens.bench.timing import median_ratio, paired_seconds
from sanilens.corpus.records import Record
from sanilens.inspect.localisers import Settings, find_localiser
from sanilens.inspect.scores import random_like
from sanilens.inspect.targets import find_targets
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.interventions import zeroed
from sanilens.model.subject import SubjectModel


def bench_locate(
    subject: SubjectModel,
    records: Sequence[Record],
    unseen: Sequence[Record],
    *,
    share: float = 0.53,
    seeds: int = 5,
) -> dict[str, float]:
    """Spans left and perplexity with `share` of all neurons zeroed; random: mean over seeds."""
    # Not contrasted: the contrast finds stronger units, and they cost other text more.
    plain = find_localiser("gradient-activation-plain")
    scores = plain.score(find_targets(subject, records), Settings())
    units = scores.units(round(share * scores.values.numel()))

    def measure(hooks: Hooks) -> tuple[int, float]:
        said = sum(v.extracted for v in memory(audit_spans(subject, records, hooks=hooks)))
        return said, perplexity(subject, unseen, hooks=hooks).value

    before, utility = measure(NO_HOOKS)
    left, located_utility = measure(zeroed(subject, units))
    drawn = [
        measure(zeroed(subject, random_like(subject.sites, units, seed, exclude=False)))
        for seed in range(seeds)
    ]
    forward, backward = paired_seconds(
        lambda: perplexity(subject, records[:64], without_spans=False),
        lambda: plain.score(find_targets(subject, records[:64]), Settings()),
        runs=3,
    )
    return {
        "units": len(units),
        "spans_before": before,
        "spans_located": left,
        "spans_random": statistics.mean(said for said, _ in drawn),
        "spans_random_min": min(said for said, _ in drawn),
        "spans_random_max": max(said for said, _ in drawn),
        "perplexity_before": utility,
        "perplexity_located": located_utility,
        "perplexity_random": statistics.mean(value for _, value in drawn),
        "cost_in_forwards": median_ratio(forward, backward),
        "seeds": seeds,
    }
