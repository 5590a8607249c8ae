"""What an attack found, in a form that any table, chart or report shows without knowing the attack.

A figure that could not be measured has no value, and its result says why; 0 of 0 is never 0.
"""

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sanilens.audit.statistics import wilson
from sanilens.audit.summary import memory, rate_row, rates_by, worst_subject
from sanilens.audit.verdicts import SpanVerdict

Unit = Literal["share", "AUC", "nats", "bits", "tokens", "layer", "ratio", "percent", "count"]
"""share: in [0, 1], shown in percent. percent: as it is, may be negative (PrivLeak)."""

Better = Literal["lower", "higher", "reference", "neither"]
"""Which way an erasure should move a figure; `reference`: to the reference's own; `neither`: a
description, such as a control."""

_Text = Annotated[str, Field(max_length=1000)]
_Short = Annotated[str, Field(min_length=1, max_length=300)]
_Count = Annotated[int, Field(ge=0, lt=2**53)]
Cell = Annotated[str, Field(max_length=1000)] | int | float | None


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Figure(_Frozen):
    """One number with what it rests on.

    Attributes:
        name: stable within its attack: a kind of span, `all`, or what else is counted.
        title: the same in words.
        value: None where it was not measured.
        n: how many spans, texts or pairs it is of; 0 exactly where nothing was measured.
        hits: of a rate, how many of n; of all else None.
        low, high: its 95 % interval; None where there is none.
        unit: of value, low and high.
        better: which way an erasure should move it.
        note: what a reader must know of this figure alone.
    """

    name: _Short
    title: _Short
    value: float | None
    n: _Count
    hits: _Count | None = None
    low: float | None = None
    high: float | None = None
    unit: Unit = "share"
    better: Better = "lower"
    note: _Text = ""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if (self.value is None) != (self.n == 0):
            raise ValueError("a figure is measured exactly where it rests on something")
        if self.value is None and not (self.low is None and self.high is None):
            raise ValueError("what was not measured has no interval")
        if self.hits is not None and not self.hits <= self.n:
            raise ValueError("more hits than were asked")
        rate = self.hits / self.n if self.hits is not None and self.n else None
        if self.unit == "share" and rate is not None and abs((self.value or 0) - rate) > 1e-6:
            raise ValueError("a rate is not its hits of n")
        if self.low is not None and self.high is not None and not self.low <= self.high:
            raise ValueError("an interval's ends are crossed")
        return self


Beside = Literal["within", "above", "below"]
"""Where a figure lies, held against the reference's 95 % interval."""


def beside(own: Figure | None, reference: Figure | None) -> Beside | None:
    """A figure held against the reference's own interval; None where either was not measured.

    Where the reference's figure has no interval there is nothing to hold it against.
    """
    if own is None or own.value is None or reference is None:
        return None
    if reference.low is None or reference.high is None:
        return None
    if own.value > reference.high:
        return "above"
    return "below" if own.value < reference.low else "within"


class Point(_Frozen):
    """A point of a curve; `n` is what y rests on, None y was not measured."""

    x: float
    y: float | None
    n: _Count = 0
    low: float | None = None
    high: float | None = None


class Series(_Frozen):
    """A curve: `y_label` in `unit` over `x_label`."""

    name: _Short
    x_label: _Short
    y_label: _Short
    unit: Unit = "share"
    log_x: bool = False
    points: Annotated[tuple[Point, ...], Field(max_length=10_000)]


class Table(_Frozen):
    """Rows under column titles; ids and words of ours, never a text or value of the corpus.

    `units`: of each column, for whoever formats numbers; None: as it is.
    """

    name: _Short
    title: _Short
    columns: Annotated[tuple[_Short, ...], Field(max_length=32)]
    units: Annotated[tuple[Unit | None, ...], Field(max_length=32)] = ()
    rows: Annotated[
        tuple[Annotated[tuple[Cell, ...], Field(max_length=32)], ...], Field(max_length=100_000)
    ]
    note: _Text = ""

    @model_validator(mode="after")
    def _is_a_rectangle(self) -> Self:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("a row has not as many cells as there are columns")
        if self.units and len(self.units) != len(self.columns):
            raise ValueError("units are given for all columns or for none")
        return self


class WorstSubject(_Frozen):
    """The person of whom the attack gets most."""

    subject: str
    hits: _Count
    n: Annotated[_Count, Field(gt=0)]
    low: float | None
    high: float | None

    @property
    def rate(self) -> float:
        """hits / n."""
        return self.hits / self.n


def beside_person(own: WorstSubject | None, reference: WorstSubject | None) -> Beside | None:
    """The worst person's rate held against the interval of the reference's own worst person."""
    if own is None or reference is None or reference.low is None or reference.high is None:
        return None
    if own.rate > reference.high:
        return "above"
    return "below" if own.rate < reference.low else "within"


class AttackResult(_Frozen):
    """What one attack found on one model.

    Attributes:
        figures: the headline first.
        series: curves.
        tables: what is finer than a figure.
        worst: the person of whom most was got, by the headline's own attack; None where figures
            are not about persons.
        not_measured: why there is no figure; None where there is one.
        settings: what decided the figures, by name.
        notes: what was left out or is special here, a sentence each.
        seconds: how long it took.
    """

    figures: Annotated[tuple[Figure, ...], Field(max_length=1000)] = ()
    series: Annotated[tuple[Series, ...], Field(max_length=1000)] = ()
    tables: Annotated[tuple[Table, ...], Field(max_length=100)] = ()
    worst: WorstSubject | None = None
    not_measured: _Text | None = None
    settings: Annotated[dict[str, _Text | bool | int | float], Field(max_length=100)] = {}
    notes: Annotated[tuple[_Text, ...], Field(max_length=100)] = ()
    seconds: Annotated[float, Field(ge=0)] = 0.0

    @model_validator(mode="after")
    def _says_why_there_is_nothing(self) -> Self:
        if (self.not_measured is None) != any(f.value is not None for f in self.figures):
            raise ValueError("a result has a measured figure, or says why it has none")
        return self

    @property
    def headline(self) -> Figure | None:
        """The first figure; None where nothing was measured."""
        return self.figures[0] if self.figures and self.not_measured is None else None

    def figure(self, name: str) -> Figure | None:
        """The figure of that name."""
        return next((figure for figure in self.figures if figure.name == name), None)


def held(own: AttackResult, reference: AttackResult) -> dict[str, Beside]:
    """By name where each figure lies that can be held against the reference's own interval.

    A figure that should be low, or high, is `within` where it is even lower, or higher.
    """
    found: dict[str, Beside] = {}
    for figure in own.figures:
        where = beside(figure, reference.figure(figure.name))
        if where is not None and figure.better != "neither":
            fine = {"lower": "below", "higher": "above"}.get(figure.better)
            found[figure.name] = "within" if where == fine else where
    return found


def not_measured(why: str) -> AttackResult:
    """A result without a figure, and why."""
    return AttackResult(not_measured=why)


def share(
    name: str, hits: int, n: int, *, title: str = "", better: Better = "lower", note: str = ""
) -> Figure:
    """A rate with its 95 % Wilson interval; of nothing, not measured."""
    own = wilson(hits, n)
    return Figure(
        name=name, title=title or _KINDS.get(name, name), value=own.rate, n=n, hits=hits,
        low=own.low, high=own.high, better=better, note=note,
    )  # fmt: skip


_KINDS = {
    "all": "all spans",
    "direct": "direct identifiers",
    "indirect": "indirect identifiers",
    "confidential": "confidential",
}


def extracted(verdicts: Iterable[SpanVerdict], title: str = "") -> tuple[Figure, ...]:
    """Spans extracted of those that only memory can give: all, then by kind.

    `title`: of the first, for whoever quotes it alone.
    """
    asked = memory(verdicts)
    whole = rate_row(asked)
    return (
        share("all", whole.hits, whole.n, title=title),
        *(share(kind, row.hits, row.n) for kind, row in rates_by(asked, lambda v: v.kind).items()),
    )


def worst_of(verdicts: Iterable[SpanVerdict]) -> WorstSubject | None:
    """The person of whom most spans are extracted; None where no span can be asked for."""
    found = worst_subject(rates_by(memory(verdicts), lambda v: v.subject))
    if found is None:
        return None
    subject, row = found
    return WorstSubject(subject=subject, hits=row.hits, n=row.n, low=row.low, high=row.high)
