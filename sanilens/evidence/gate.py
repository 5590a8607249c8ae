"""Acceptance criteria: thresholds in a file, each judged pass, fail or not measured.

What was not measured never passes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sanilens.audit.statistics import wilson
from sanilens.errors import PlanError
from sanilens.evidence.evidence import Evidence, Reading, Whose, most_first
from sanilens.evidence.plain_yaml import parse_plain_yaml, read_plain_yaml
from sanilens.evidence.words import figure, interval, number
from sanilens.runs.judgement import more_than_guessed

Outcome = Literal["pass", "fail", "not measured"]
SAMPLE = Path(__file__).parent / "files" / "criteria.yaml"

_RELATIVE = re.compile(r"reference(?:\s*([+-])\s*(\d+(?:\.\d+)?))?")
_MOST = 200
# Counted for each group of persons; every other measure is of the whole corpus.
_BY_GROUP = ("extraction", "change", "more_than_reference", "against_random", "against_other")
_KINDS = ("direct", "indirect", "confidential")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Criterion(_Frozen):
    """One threshold.

    Attributes:
        name: in tables.
        measure: what is held against it: `extraction`, or a metric's or attack's name.
        of: which slice of it.
        whose: whose details; None: those asked for, or everyone where nobody was.
        arm: which model.
        take: the value, an end of its interval, or the hits.
        at_most, at_least: the threshold: a number, or `reference + 0.02`.
    """

    name: Annotated[str, Field(min_length=1, max_length=200)]
    measure: Annotated[str, Field(pattern=r"^[a-z0-9_.-]{1,80}$")] = "extraction"
    of: Annotated[str, Field(min_length=1, max_length=300)] = "all"
    whose: Whose | None = None
    arm: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")] = "after"
    take: Literal["value", "low", "high", "hits"] = "value"
    at_most: float | str | None = None
    at_least: float | str | None = None

    @model_validator(mode="after")
    def _one_threshold(self) -> Self:
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError("a criterion has at_most or at_least, and one of them")
        if isinstance(self.threshold, str) and not _RELATIVE.fullmatch(self.threshold.strip()):
            raise ValueError("a threshold is a number, or reference + a number")
        return self

    @property
    def threshold(self) -> float | str:
        """Whichever was given."""
        given = self.at_least if self.at_most is None else self.at_most
        assert given is not None, "checked when it was made"
        return given


class Criteria(_Frozen):
    """A file of them."""

    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1, max_length=_MOST)]


@dataclass(frozen=True, slots=True)
class Judged:
    """A criterion, what was held against it, and what came of it."""

    name: str
    outcome: Outcome
    found: str
    threshold: str
    reading: str = ""


def read_criteria(path: Path) -> Criteria:
    """Read a file of criteria.

    Raises:
        PlanError: naming what is wrong with it.
    """
    return _valid(read_plain_yaml(path, PlanError), path.name)


def parse_criteria(content: bytes, name: str) -> Criteria:
    """The same of a file's content, as the app gets it; `name` is what errors call it.

    Raises:
        PlanError: saying what is wrong with it.
    """
    return _valid(parse_plain_yaml(content, name, PlanError), name)


def criteria_of(rows: Sequence[Mapping[str, Any]], name: str) -> Criteria:
    """Criteria from their fields, as a form gives them.

    Raises:
        PlanError: saying what is wrong with them.
    """
    return _valid({"criteria": list(rows)}, name)


def criteria_yaml(criteria: Criteria) -> str:
    """A file of these criteria, for `sanilens gate`."""
    rows = [each.model_dump(exclude_defaults=True) for each in criteria.criteria]
    return yaml.safe_dump({"criteria": rows}, sort_keys=False, allow_unicode=True)


def _valid(fields: Any, name: str) -> Criteria:
    try:
        return Criteria.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        # The name of a field that there is not may be anything.
        loc = first["loc"][:-1] if first["type"] == "extra_forbidden" else first["loc"]
        where = ".".join(map(str, loc)) or "the file"
        raise PlanError(f"{name}: {where}: {first['msg']}.") from error


def judge(evidence: Evidence, criteria: Criteria) -> list[Judged]:
    """Judge every criterion by a run's evidence."""
    return [_judge(evidence, each) for each in criteria.criteria]


def _judge(evidence: Evidence, asked: Criterion) -> Judged:
    sign = "≥" if asked.at_most is None else "≤"
    reading = _find(evidence, asked, asked.arm)
    value = _take(reading, asked.take)
    bound, worded = _bound(evidence, asked)
    threshold = f"{sign} {worded}"
    name = reading.id if reading else ""
    if value is None or bound is None:
        why = _why(reading)
        if value is not None:
            why = "the reference has no such figure"
            if reference_seen(evidence):
                why = "the reference itself gives away more than is guessed: nothing is held to it"
        return Judged(asked.name, "not measured", why, threshold, name)
    passed = value >= bound if asked.at_most is None else value <= bound
    found = figure(reading)
    if asked.take in ("low", "high"):
        found += f", 95 % {interval(reading)}"
    return Judged(asked.name, "pass" if passed else "fail", found, threshold, name)


def _why(reading: Reading | None) -> str:
    return (reading.why if reading else "") or "no such figure in this run"


def _bound(evidence: Evidence, asked: Criterion) -> tuple[float | None, str]:
    threshold = asked.threshold
    unit = "count" if asked.take == "hits" else "share"
    if not isinstance(threshold, str):
        own = _find(evidence, asked, asked.arm)
        known = own.unit if own and asked.take != "hits" else unit
        return threshold, number(threshold, known)
    found = _RELATIVE.fullmatch(threshold.strip())
    assert found, "checked when it was made"
    beside = _take(_find(evidence, asked, "reference"), asked.take)
    if reference_seen(evidence):
        beside = None
    more = float(found[2] or 0) * (-1 if found[1] == "-" else 1)
    return (None if beside is None else beside + more), threshold.strip()


def _take(reading: Reading | None, what: str) -> float | None:
    if reading is None or not reading.measured or reading.infinite:
        return None  # an infinite value is no pass either: it is said with the figure
    return getattr(reading, what)


def reference_seen(evidence: Evidence) -> bool:
    """Whether the reference gives away more than look-alikes, of the whole corpus."""
    own, guessed = (evidence.rate(arm, "everyone") for arm in ("reference", "lookalike"))
    if own is None or guessed is None:
        return False
    return more_than_guessed(
        wilson(own.hits or 0, own.n or 0), wilson(guessed.hits or 0, guessed.n or 0)
    )


def _find(evidence: Evidence, asked: Criterion, arm: str) -> Reading | None:
    own = list(_possible(evidence, asked, arm))
    if asked.of == "worst person":
        return min(own, key=most_first, default=None)
    return next(iter(own), None)


def _possible(evidence: Evidence, asked: Criterion, arm: str) -> Iterator[Reading]:
    whose = asked.whose or (evidence.about if asked.measure in _BY_GROUP else "everyone")
    of = f"kind:{asked.of}" if asked.measure == "extraction" and asked.of in _KINDS else asked.of
    for reading in evidence.of(asked.measure, arm, whose):
        if of == "worst person":
            if reading.of.startswith("subject:"):
                yield reading
        elif reading.of == of or (asked.measure != "extraction" and of == "all"):
            yield reading  # `all` of a metric that is given by kind: its first, as its table has it
