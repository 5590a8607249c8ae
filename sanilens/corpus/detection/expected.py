"""How much of what is sensitive detection is expected to find, as `bench detect` measured it.

The figures ship in `expected.json`, which the bench writes. They come from public-style sentences
with invented values and promise nothing for another text.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import regex
from pydantic import BaseModel, ConfigDict

FILE = Path(__file__).with_name("expected.json")
# Below it a user is asked for a patient table or a pipeline.
LOW = 0.8
_LISTS = "lists"


class LabelRecall(BaseModel):
    """Of `n` values of a label, the share that a found span of the label overlaps, or equals."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: int
    recall: float | None
    exact: float | None
    precision: float | None


class Measured(BaseModel):
    """Figures by label for one way of finding names; `of` says what it was measured on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    of: str
    labels: Mapping[str, LabelRecall]


class Expected(BaseModel):
    """Every way that was measured: `lists`, and pipelines by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    means: Mapping[str, Measured]


@cache
def expected() -> Expected:
    """The figures that ship with this version."""
    return Expected.model_validate_json(FILE.read_bytes())


def expected_for(pipeline: str | None) -> Measured | None:
    """The figures for a pipeline, or the lists alone; None for one that nobody measured."""
    usual = regex.match(r"en_core_web_(?:sm|md|lg|trf)", pipeline or "")
    return expected().means.get(usual.group() if usual else pipeline or _LISTS)


def what_finds_names(pipeline: str | None, *, table: bool) -> str:
    """One sentence: what finds names here."""
    parts = ["the patient table"] if table else []
    if pipeline:
        parts.append(f"the pipeline {pipeline}")
    parts.append("lists of first and family names")
    return f"Names are found by {_listed(parts)}."


def expectation(pipeline: str | None, *, table: bool) -> str:
    """What share to expect, and what would raise it where that is low; "" with a table.

    A table knows its own values; how much more a text holds, nobody measured.
    """
    if table:
        return "A table finds the values that it lists; others are found as without it."
    figures = expected_for(pipeline)
    if figures is None:
        return (
            "This pipeline was not measured: `sanilens bench detect --ner` does it. "
            "A patient table finds the people that it lists."
        )
    shown = {name: figures.labels.get(name) for name in ("NAME", "ADDRESS", "LOCATION")}
    shares = ", ".join(
        f"{row.recall:.0%} of {row.n:,} {name}"
        for name, row in shown.items()
        if row and row.recall is not None
    )
    low = any(r and r.recall is not None and r.recall < LOW for r in shown.values())
    remedy = (
        " A patient table or a name pipeline raises that; so does correcting the spans."
        if low
        else ""
    )
    return f"Found of {figures.of}: {shares}.{remedy}"


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
