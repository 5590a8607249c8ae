"""What each part of a sanitising adds: one factor changed, all else alike, the same seeds.

The difference of two ablation rows, seed by seed, and the 95 % interval of its mean by Student's t
over the seeds: it speaks of other draws and other orders of training, not of other corpora.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

import numpy as np
from scipy import stats

from research.sanitise.arms import ERASED, TAUGHT, ablation_name
from research.sanitise.run import Row
from research.sanitise.table import said_share


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean over seeds; `low` and `high` bound it with 95 % confidence, None for one seed."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Part:
    """One part, the rest held.

    Attributes:
        added: what is there, such as `located`.
        instead: of what, such as `none`.
        held: the other factor's value.
        seeds: how many pairs of rows.
        leak: change of the share of all spans extracted; below 0 is better.
        unseen: change of perplexity on unseen records; below 0 is better.
    """

    added: str
    instead: str
    held: str
    seeds: int
    leak: Difference
    unseen: Difference


def parts(rows: Iterable[Row]) -> list[Part]:
    """Every step along one factor for which both rows were measured under some same seed."""
    known = {(row.method, row.seed): row for row in rows if row.group == "ablation"}
    steps = [
        (more, less, held, ablation_name(more, held), ablation_name(less, held))
        for less, more in pairwise(ERASED)
        for held in TAUGHT
    ] + [
        (more, less, held, ablation_name(held, more), ablation_name(held, less))
        for less, more in pairwise(TAUGHT)
        for held in ERASED
    ]
    found = []
    for more, less, held, with_it, without in steps:
        seeds = [seed for name, seed in known if name == with_it and (without, seed) in known]
        pairs = [(known[with_it, seed], known[without, seed]) for seed in sorted(seeds)]
        if pairs:
            leak = [said_share(a.figures.extracted) - said_share(b.figures.extracted)
                    for a, b in pairs]  # fmt: skip
            unseen = [a.figures.perplexity_unseen - b.figures.perplexity_unseen for a, b in pairs]
            found.append(Part(more, less, held, len(pairs), _difference(leak), _difference(unseen)))
    return found


def _difference(values: Sequence[float]) -> Difference:
    if len(values) < 2:
        return Difference(fmean(values), None, None)
    half = stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    mean = fmean(values)
    return Difference(mean, mean - float(half), mean + float(half))
