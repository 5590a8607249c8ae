"""How methods compare on a case: a row a method and seed, a line a method, what beats what.

A method beats another if it leaks no more in any of three states (as it is, after relearning, in
four bits), costs no more perplexity on unseen records, and is better in at least one of these.
What is measured stands in the clone's `research`; the result is read here.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, stdev
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, field_serializer, field_validator
from scipy.stats import t

from sanilens.audit.measurement import Measurement
from sanilens.audit.metrics import METRICS

Group = Literal["given", "ours", "control", "sani", "ablation", "baseline"]
# The factors of the ablation: which units are erased, and what is taught afterwards.
ERASED = ("none", "random", "located")
TAUGHT = ("masked", "surrogate", "anchored")

# Files call extraction what they first called it, so that the same figures keep their hash.
_IN_FILES = {"extraction": "extracted"}
_IN_MEMORY = {old: new for new, old in _IN_FILES.items()}

# Smaller differences are noise of the last digit, not an advantage.
_ALIKE = 1e-9
_AXES = ("extraction", "relearnt", "four_bit", "perplexity_unseen")


class MethodRow(BaseModel):
    """A method, a seed, the figures; `seconds` and `cost` are of this machine and this run.

    figures: of the measurement the metrics alone.
    seconds: of processor time, which other work on the machine disturbs less than the clock's.
    cost: these as a share of what the leak's own training takes, measured in the same run.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    group: Group
    seed: int
    figures: Measurement
    seconds: float
    cost: float

    @field_validator("figures", mode="before")
    @classmethod
    def _read(cls, figures: Any) -> Any:
        if not isinstance(figures, dict):
            return figures
        return {_IN_MEMORY.get(name, name): value for name, value in figures.items()}

    @field_serializer("figures")
    def _write(self, figures: Measurement) -> dict[str, Any]:
        dumped = figures.model_dump()
        return {_IN_FILES.get(name, name): dumped[name] for name in figures.metrics}


class SanitiseResult(BaseModel):
    """The whole table. `sha256` is of all that a seed decides: rows without their times."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    model_sha256: str
    records: int
    seeds: tuple[int, ...]
    leak_seconds: float
    rows: tuple[MethodRow, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class Line:
    """A method's rows as people read them: means over its seeds.

    Attributes:
        method: of all its rows.
        group: of all its rows.
        seeds: how many rows there are.
        spread: standard deviation over seeds of the share of all spans; None for one seed.
        figures: each metric by name (of a p the smallest), besides `direct` and `indirect`, shares
            of such spans extracted, `seconds` and `cost`. What was not measured is missing.
    """

    method: str
    group: str
    seeds: int
    spread: float | None
    figures: Mapping[str, float]

    def figure(self, name: str) -> float:
        """A figure; NaN where it was not measured."""
        return self.figures.get(name, math.nan)

    @property
    def leak(self) -> float:
        """Share of all spans extracted."""
        return self.figure("extraction")


def lines(rows: Iterable[MethodRow]) -> list[Line]:
    """One line a method, in the rows' order."""
    methods: dict[str, list[MethodRow]] = {}
    for row in rows:
        methods.setdefault(row.method, []).append(row)
    return [_line(own) for own in methods.values()]


def _line(rows: Sequence[MethodRow]) -> Line:
    measured = {name: [row.figures.figure(name) for row in rows] for name in METRICS}
    for kind in ("direct", "indirect"):
        of_kind = (row.figures.extraction.get(kind) for row in rows)
        measured[kind] = [own.rate for own in of_kind if own and own.rate is not None]
    measured["seconds"] = [row.seconds for row in rows]
    measured["cost"] = [row.cost for row in rows]
    figures: dict[str, float] = {}
    for name, values in measured.items():
        if known := [value for value in values if not math.isnan(value)]:
            metric = METRICS.get(name)
            figures[name] = min(known) if metric and metric.unit == "p" else fmean(known)
    leaks = measured["extraction"]
    return Line(
        method=rows[0].method,
        group=rows[0].group,
        seeds=len(rows),
        spread=stdev(leaks) if len(leaks) > 1 else None,
        figures=figures,
    )


def beats(one: Line, other: Line) -> bool:
    """Whether `one` is nowhere worse than `other`, and somewhere better.

    What was not measured of either is nowhere known to be no worse.
    """
    pairs = [(one.figure(name), other.figure(name)) for name in _AXES]
    no_worse = all(mine <= theirs + _ALIKE for mine, theirs in pairs)
    return no_worse and any(mine < theirs - _ALIKE for mine, theirs in pairs)


def unbeaten(table: Sequence[Line]) -> set[str]:
    """Methods that no line of ours beats; the models that are given as they are, apart."""
    ours = [line for line in table if line.group == "ours"]
    return {
        line.method
        for line in table
        if line.group not in ("given", "ours") and not any(beats(own, line) for own in ours)
    }


def ablation_name(erased: str, taught: str) -> str:
    """The row's name in the table."""
    return f"{erased}, {taught}"


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean over seeds; `low` and `high` bound it with 95 % confidence, None for one seed."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of a sanitising adds: one factor changed, all else alike, the same seeds.

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


def parts(rows: Iterable[MethodRow]) -> list[Part]:
    """Every step along one factor for which both rows were measured under some same seed."""
    known = {(row.method, row.seed): row.figures for row in rows if row.group == "ablation"}
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
        seeds = sorted(s for name, s in known if name == with_it and (without, s) in known)
        pairs = [(known[with_it, seed], known[without, seed]) for seed in seeds]
        if pairs:
            leak, unseen = (_difference(pairs, n) for n in ("extraction", "perplexity_unseen"))
            found.append(Part(more, less, held, len(pairs), leak, unseen))
    return found


def _difference(pairs: Sequence[tuple[Measurement, Measurement]], name: str) -> Difference:
    """The mean over seeds, and its interval by Student's t.

    It speaks of other draws and other orders of training, not of other corpora.
    """
    values = [with_it.figure(name) - without.figure(name) for with_it, without in pairs]
    if len(values) < 2:
        return Difference(fmean(values), None, None)
    half = float(t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    mean = fmean(values)
    return Difference(mean, mean - half, mean + half)
