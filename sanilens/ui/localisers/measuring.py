"""The two tests of localisers on the open case: injected memories, and the deletion curve."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st
from markupsafe import Markup
from pydantic import TypeAdapter, ValidationError

from sanilens.bundled import BUNDLED, assets_folder
from sanilens.case import Case
from sanilens.charts import COLOURS, GREY, Axis, Line, lines
from sanilens.glossary import meaning
from sanilens.inspect.locate.deletion_curve import Deletion, DeletionResult
from sanilens.inspect.locate.localisers import LOCALISERS
from sanilens.inspect.locate.recall import InjResult, LocaliserRecall
from sanilens.runs.jobs import Job
from sanilens.runs.workspace import job
from sanilens.ui.charts import draw
from sanilens.ui.layout import card, pair
from sanilens.ui.tables import Cell, Column, Row, bar, show_table

_INJ = (
    "Single spans are taught to a few neurons of the base model: to what they write, to what they "
    "read, or to both; and each way once more with all weights tuned on other texts afterwards. A "
    "localiser sees only the model that was taught and names as many neurons as were used. "
    "**Recall** is the share it gets right. Every taught vector keeps its length and is rounded "
    "like the model's file, so neither gives it away."
)
_DEL = (
    "The examined model loses more and more of the neurons that a localiser names, and as many "
    "random ones. A good localiser leaves few spans to extract **at the same perplexity** on "
    "unseen records."
)


def tests_card() -> None:
    """Explain the two tests, and list the localisers."""
    left, right = pair("tests", (1, 1))
    with left, card("Finding what was injected"):
        st.markdown(_INJ)
    with right, card("Deleting what was found"):
        st.markdown(_DEL)
    with card(f"{len(LOCALISERS)} localisers", "all of them can be used on Inspect"):
        columns = [
            Column("localiser", "mono", meaning("localiser")),
            Column("what it scores"),
            Column("cost", "aside"),
        ]
        show_table(
            columns,
            [Row((name, each.title, each.cost)) for name, each in LOCALISERS.items()],
        )


_CONTROLS = {"random", "write-norm", "activation-norm"}
_ELSE = {
    "write-norm": "the length of its output vector: a control",
    "weight-difference": "was shown the model before the injection: knows the answer",
}
_NAME = Markup('<b>{}</b><span class="sl-mute">{}</span>')


def recall_table(found: InjResult) -> None:
    """Draw all localisers, best first; the one that was shown the original stands last."""
    ways = list(found.held) if len(found.held) > 1 else []
    columns = [
        Column("localiser", help=meaning("localiser")),
        Column("", "bar"),
        Column("worst" if ways else "recall", "number", meaning("recall")),
        Column("95 %", "number aside", meaning("95 % interval")),
        *(Column(way, "number", spare=True) for way in ways),
        Column("picked from", "aside", "Whether its best neurons are taken from the whole model, "
               "or as many from each layer: chosen on other injections.", spare=True),
        Column("s / span", "number", "Seconds a span takes to score."),
    ]  # fmt: skip
    ranked = sorted(found.localisers.items(), key=lambda each: -each[1].least.recall)
    rows = [_row(name, row, ways, _tone(name, found)) for name, row in ranked]
    rows += [_row(name, row, ways, "reference") for name, row in found.given_the_original.items()]
    show_table(columns, rows, "recall")


def _tone(name: str, found: InjResult) -> str:
    if name == found.recommended:
        return "plan"
    return "control" if name in _CONTROLS else "found"


def _row(name: str, row: LocaliserRecall, ways: Sequence[str], tone: str) -> Row:
    what = LOCALISERS[name].title if name in LOCALISERS else _ELSE[name]
    least, seconds = row.least, row.seconds
    each = [
        Cell(f"{row.conditions[way].recall:.2f}", "sl-worst" if way == row.worst else "")
        for way in ways
    ]
    cells = (
        _NAME.format(name, f"{what} · {row.setting}" if row.setting else what),
        bar(least.recall, f"recall {least.recall:.3f}", interval=(least.low, least.high)),
        f"{least.recall:.3f}",
        f"[{least.low:.3f}, {least.high:.3f}]",
        *each,
        row.picked.removeprefix("the "),
        "–" if not seconds else f"{seconds:.2g}" if seconds >= 0.001 else "< 0.001",
    )
    return Row(cells, tone)


_CHANCE = "random units"


def curve_chart(found: DeletionResult) -> None:
    """Draw what a deletion costs against what it leaves."""
    frame = curve_frame(found)
    # Far to the right every model is broken: the picture ends where the random draws do.
    most = 1.1 * max(p.perplexity for draws in found.random for p in draws)
    shown: pd.DataFrame = frame.loc[frame["perplexity"] <= most]
    names = [found.recommended, *(n for n in found.curves if n != found.recommended)]
    own = []
    for number, name in enumerate([*names, _CHANCE]):
        colour = GREY if name == _CHANCE else COLOURS[number % len(COLOURS)]
        points: pd.DataFrame = shown.loc[shown["method"] == name]
        words = [
            f"{p['units']:,} units leave {p['spans']:,} spans at perplexity {p['perplexity']:.3f}"
            for p in points.to_dict("records")
        ]
        again = "dot" if number >= len(COLOURS) else "solid"
        dash = None if name == _CHANCE else again
        x, y = points["perplexity"].tolist(), points["spans"].tolist()
        own.append(Line(name, x, y, colour, dash, words=words))
    figure = lines(
        own,
        Axis("perplexity on unseen texts, all tokens"),
        Axis("spans still extracted"),
        legend=True,
    )
    words = f"Spans still extracted against perplexity: {found.recommended} and random units"
    draw(figure, "deletion-curve", words, 340)


def curve_frame(found: DeletionResult) -> pd.DataFrame:
    """One row per point, of the localisers and of every random draw."""
    points: list[tuple[str, Deletion]] = [(name, found.before) for name in found.curves]
    points += [(name, point) for name, own in found.curves.items() for point in own]
    points += [(_CHANCE, point) for draws in found.random for point in draws]
    columns = ("units", "spans", "others", "perplexity")
    return pd.DataFrame(
        [{"method": name, **{c: getattr(p, c) for c in columns}} for name, p in points]
    )


# The command's output is the two results in one object; what else it holds is ignored here.
_MEASURING_INJ = TypeAdapter(InjResult)
_DELETION = TypeAdapter(DeletionResult)


def measuring_job(opened: Case) -> Job:
    """The job of this case; another model or corpus gets a job of its own."""
    key = hashlib.sha256(f"localisers|{opened.key}".encode()).hexdigest()
    return job("localisers", key)


def arguments(opened: Case) -> list[str]:
    """The command, as one would type it after `sanilens`."""
    ref = opened.sources
    base, unseen = ref.base or ref.model, ref.unseen or ref.control or ref.corpus
    return [
        "localisers", "--model", ref.model, "--base", base,
        "--corpus", ref.corpus, "--unseen", unseen, "--json",
    ]  # fmt: skip


def measured(opened: Case) -> tuple[InjResult, DeletionResult | None] | None:
    """What the job found, else what ships with a bundled case; None if neither is there."""
    found = measuring_job(opened).result() or _shipped(opened)
    if found is None:
        return None
    try:
        deletion = found.get("deletion")
        return (
            _MEASURING_INJ.validate_python(found),
            _DELETION.validate_python(deletion) if deletion else None,
        )
    except ValidationError:
        return None  # written by another version: to be measured again


def recall_of(opened: Case, name: str) -> float | None:
    """The share of injected neurons a localiser found in its worst condition; None if unknown.

    Measured on neurons: it says nothing about heads.
    """
    found = measured(opened)
    row = found[0].localisers.get(name) if found else None
    return row.least.recall if row else None


def _shipped(opened: Case) -> dict[str, Any] | None:
    """What the project measured on a bundled case, as `bench inj --json` printed it.

    Only on that very case: with another corpus or base model it is another measurement.
    """
    case = next((name for name, ref in BUNDLED.items() if ref == opened.sources), None)
    path = assets_folder() / f"{case}" / "localisers.json"
    return json.loads(path.read_bytes()) if case and path.is_file() else None


def recommended(opened: Case) -> str | None:
    """The localiser that did best on this case; None before it was measured."""
    found = measured(opened)
    return found[0].recommended if found else None


def best_quick(opened: Case) -> str | None:
    """The best localiser that answers at once, so that a page can open with it; else None."""
    if (found := measured(opened)) is None:
        return None
    rows = found[0].localisers
    quick = [n for n in rows if n in LOCALISERS and LOCALISERS[n].cost == "seconds"]
    return max(quick, key=lambda name: rows[name].least.recall, default=None)
