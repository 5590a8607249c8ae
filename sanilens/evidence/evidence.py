"""What there is to be said of a run, once: report, letter and all formats are drawn from it.

It holds ids and figures, never a text or value of the corpus. Its JSON is canonical, so that who
has the run's files can make it anew and hold it against what was handed over, byte for byte.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from sanilens.audit.attacks.result import AttackResult
from sanilens.errors import IntegrityError
from sanilens.files import open_file, parse_json
from sanilens.runs.judgement import State as Verdict

Whose = Literal["everyone", "asked", "earlier", "others"]
Unit = Literal[
    "share", "points", "perplexity", "AUC", "nats", "bits", "tokens", "layer", "ratio", "percent",
    "count", "distance", "p",
]  # fmt: skip
State = Literal["measured", "recorded", "stated", "not measured", "not applicable"]
"""recorded: a file of the bundle says so, checked against its bytes. stated: somebody says so."""

_LARGEST = 256 * 2**20
Line = Annotated[str, Field(max_length=2000)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Statement(_Frozen):
    """What somebody states and no file can show; all of it is shown as stated.

    Attributes:
        made: the day, YYYY-MM-DD.
        by, role, organisation: who ran it and answers for it.
        purpose, domain, licence: of the model.
        receivers: who gets the model, and what they can do with it.
        means: which means of getting at the data are held to be reasonably likely, and why.
        assessment: where the data protection impact assessment is, or why none is needed.
        retention: how long the evidence is kept.
        monitoring: who tests again, when, and whom to tell of an incident.
        leaking_copies: what is to become of the copies that still know, or has.
    """

    made: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
    by: Line = ""
    role: Line = ""
    organisation: Line = ""
    purpose: Line = ""
    domain: Line = ""
    licence: Line = ""
    receivers: Line = ""
    means: Line = ""
    assessment: Line = ""
    retention: Line = ""
    monitoring: Line = ""
    leaking_copies: Line = ""


class Reading(_Frozen):
    """One number, with what it rests on.

    Attributes:
        id: `extraction/after/asked/label:NAME`; the same in every format.
        measure, title: what was measured, by its name and in words.
        arm: which model was measured.
        whose: of whose details.
        of: `all`, or a slice of them: `kind:direct`, `label:NAME`, `subject:p-005`.
        unit: of value, low and high; shares and points in [-1, 1].
        value: None where it was not measured, or is infinite.
        infinite: the value is beyond all bounds: of a model that is broken.
        hits, n: of a rate, how many of how many; n also of what a mean rests on.
        low, high: 95 % interval.
        why: why it is not measured.
        file: of the run, that the number was counted in.
    """

    id: str
    measure: str
    title: str
    arm: str
    whose: Whose = "everyone"
    of: str = "all"
    unit: Unit = "share"
    value: float | None
    infinite: bool = False
    hits: int | None = None
    n: int | None = None
    low: float | None = None
    high: float | None = None
    why: str = ""
    file: str

    @property
    def measured(self) -> bool:
        """Whether there is a number."""
        return self.value is not None or self.infinite


class Said(_Frozen):
    """A sentence or two of the first page, under their title."""

    id: str
    title: str
    text: str


class Answer(_Frozen):
    """What this run has to say to one question of the checklist.

    Attributes:
        number, question, source: of the checklist.
        state: how it is answered.
        text: the answer, or why there is none.
        readings: ids of the figures that it rests on.
        file: where that stands.
        command: gives it again.
    """

    number: int
    question: str
    source: str
    state: State
    text: str
    readings: tuple[str, ...] = ()
    file: str = ""
    command: str = ""


class Source(_Frozen):
    """A model or text that the run read: its role, what it was called, its content's SHA-256."""

    role: str
    name: str
    sha256: str


class Copy(_Frozen):
    """A model, or part of one, that exists because of this run or before it.

    Attributes:
        what: in words.
        name: of file or folder, or what the plan calls it.
        sha256: of its content.
        knows: whether it still holds what was to be forgotten: `yes`, `no` as far as was measured.
        todo: what is to be done with it.
    """

    what: str
    name: str
    sha256: str
    knows: Literal["yes", "no", "never did", "see the figures"]
    todo: str


class Artefact(_Frozen):
    """The model that is handed over, as it lies in the run.

    Attributes:
        sha256: of the folder, as OpenSSF model signing counts it.
        files: SHA-256 by name.
        hook_only: edits of the plan that are not in its weights.
        adapter: whether what was trained lies beside it.
        architecture: its class.
        parameters: how many.
    """

    sha256: str
    files: dict[str, str]
    hook_only: int
    adapter: bool
    architecture: str
    parameters: int

    @property
    def in_weights(self) -> bool:
        """Whether all of the plan is in the weights."""
        return not self.hook_only and not self.adapter


class Evidence(_Frozen):
    """Everything that is said of a run.

    Attributes:
        schema_version: of this form.
        made_with: version of SaniLens.
        code: SHA-256 of the sources that drew it; empty where an earlier version did.
        plan: SHA-256 of the plan.
        plan_words: the plan in a line.
        seed: of all draws.
        subjects, earlier: whom the plan was for, and who was deleted before; none: everyone.
        persons: how many the corpus has spans of.
        started, ended: times in UTC; `ended` empty where the run is not finished.
        undone: whether the request was taken back since.
        verified: whether the run kept hashes of its files.
        machine: versions and hardware.
        arms: what was measured, in order, with titles.
        layers: edited units by layer, as counts; the operation before a colon.
        statement: what somebody states.
        state, headline, rests: the verdict.
        story: the first page.
        readings: every figure.
        attacks: what attacks found, by attack and by arm.
        answers: to the checklist.
        sources, lineage, artefact: what was read, and what there is now.
        limits: what a reader must not conclude.
    """

    schema_version: Literal[1] = 1
    made_with: str
    code: str = ""
    plan: str
    plan_words: str
    seed: int
    subjects: tuple[str, ...]
    earlier: tuple[str, ...]
    persons: int
    started: str
    ended: str
    undone: bool
    verified: bool
    machine: dict[str, str]
    arms: dict[str, str]
    layers: dict[str, int]
    statement: Statement
    state: Verdict
    headline: str
    rests: str
    story: tuple[Said, ...]
    readings: tuple[Reading, ...]
    attacks: dict[str, dict[str, AttackResult]] = {}
    answers: tuple[Answer, ...]
    sources: tuple[Source, ...]
    lineage: tuple[Copy, ...]
    artefact: Artefact
    limits: tuple[str, ...]

    @property
    def about(self) -> Whose:
        """Whose details the headline is about."""
        return "asked" if self.subjects else "everyone"

    def reading(self, reading_id: str) -> Reading | None:
        """The figure of that id."""
        return next((each for each in self.readings if each.id == reading_id), None)

    def of(self, measure: str, arm: str, whose: Whose | None = None) -> list[Reading]:
        """Figures of one measure on one model, of one group or of any."""
        return [
            each
            for each in self.readings
            if (each.measure, each.arm) == (measure, arm) and whose in (None, each.whose)
        ]

    @property
    def to_destroy(self) -> list[Copy]:
        """Copies that still hold what was to be forgotten."""
        return [copy for copy in self.lineage if copy.knows == "yes"]

    def rate(self, arm: str, whose: Whose, of: str = "all") -> Reading | None:
        """What a model says of somebody's details."""
        return self.reading(reading_id("extraction", arm, whose, of))

    def by_subject(self, arm: str, whose: Whose) -> list[Reading]:
        """What a model says of each person, most first."""
        own = [r for r in self.of("extraction", arm, whose) if r.of.startswith("subject:")]
        return sorted(own, key=most_first)

    def canonical(self) -> bytes:
        """The one way to write this: UTF-8 JSON, sorted, without blanks, a line end at its end."""
        return canonical_json(self.model_dump(mode="json"))

    def frame(self) -> pd.DataFrame:
        """Every figure as a row."""
        return pd.DataFrame([each.model_dump() for each in self.readings])


def most_first(reading: Reading) -> tuple[float, float, float, str]:
    """Sorts persons: of whom most is said first; where as much is, of whom it is least sure."""
    return -(reading.hits or 0), -(reading.value or 0), -(reading.high or 0), reading.of


def reading_id(measure: str, arm: str, whose: str = "everyone", of: str = "all") -> str:
    """A figure's id."""
    return f"{measure}/{arm}/{whose}/{of}"


def canonical_json(value: Any) -> bytes:
    """Bytes of a JSON value in the one way in which this package writes it."""
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return (text + "\n").encode()


def read_evidence(path: Path) -> Evidence:
    """Read what `canonical` wrote.

    Raises:
        IntegrityError: if it is anything else, or was written in another way.
    """
    with open_file(path, IntegrityError, most=_LARGEST, links=False) as file:
        content = file.read()
    try:
        fields = parse_json(content)
        found = Evidence.model_validate(fields)
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{path.name} is damaged, or of another version.") from error
    # Of its own fields, not of today's: an earlier version lacks those that came later.
    if canonical_json(fields) != content:
        raise IntegrityError(f"{path.name} is not written as SaniLens writes it.")
    return found


def measured(readings: Iterable[Reading | None]) -> list[Reading]:
    """Those of which there is a number."""
    return [each for each in readings if each is not None and each.measured]
