"""The two tests of localisers on the open case: injected memories, and the deletion curve."""

import hashlib
import json
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st
from markupsafe import Markup
from pydantic import TypeAdapter, ValidationError

from sanilens.bundled import assets_folder
from sanilens.inspect.locate.deletion_curve import Deletion, DeletionResult
from sanilens.inspect.locate.localisers import LOCALISERS
from sanilens.inspect.locate.recall import InjResult, Row
from sanilens.runs.jobs import Job
from sanilens.runs.workspace import job
from sanilens.ui.layout import card
from sanilens.ui.markup import show
from sanilens.ui.opened import Opened
from sanilens.ui.state import BUNDLED_CASES

_INJ = (
    "Single spans are taught to a few neurons of the base model: to what they write, to what they "
    "read, or to both; and each again with all weights tuned further on other texts. A localiser "
    "sees the taught model alone and names as many neurons. **Recall** is the share of the right "
    "ones. Every taught vector keeps its length and is rounded as the model's file is, so that "
    "neither gives anything away."
)
_DEL = (
    "The examined model loses more and more of the neurons that a localiser names, and as many "
    "random ones. A good localiser leaves few spans said **at equal perplexity** on unseen records."
)
_TABLE = Markup(
    '<table class="sl-table"><thead><tr><th>localiser</th><th>what its score is</th>'
    "<th>cost</th></tr></thead><tbody>{}</tbody></table>"
)
_ROW = Markup('<tr><td class="sl-word">{}</td><td>{}</td><td class="sl-mute">{}</td></tr>')


def tests_card() -> None:
    """Say what is measured, and of what."""
    with st.container(key="sl-pair-tests"):
        left, right = st.columns(2, gap="small")
    with left, card("Finding what was injected"):
        st.markdown(_INJ)
    with right, card("Deleting what was found"):
        st.markdown(_DEL)
    with card(f"{len(LOCALISERS)} localisers", "all can be asked on Inspect"):
        rows = [_ROW.format(name, each.title, each.cost) for name, each in LOCALISERS.items()]
        show(_TABLE.format(Markup("").join(rows)))


_RECALL_TABLE = Markup(
    '<table class="sl-table sl-arms sl-recall"><thead><tr><th>localiser</th><th></th>'
    '<th class="n">worst</th><th class="n">95 %</th>{}'
    '<th class="n">seconds a span</th></tr></thead><tbody>{}</tbody></table>'
)
_HEAD = Markup('<th class="n">{}</th>')
_RECALL_ROW = Markup(
    '<tr class="sl-{tone}"><td>{name}<br><span class="sl-mute">{what}</span></td>'
    '<td><div class="sl-bar" role="img" aria-label="{recall:.3f}">'
    '<b style="width:{percent:.1f}%"></b><i style="left:{left:.1f}%;width:{width:.1f}%"></i>'
    '</div></td><td class="n">{recall:.3f}</td><td class="n sl-mute">{interval}</td>'
    '{each}<td class="n">{seconds}</td></tr>'
)
_CELL = Markup('<td class="n">{:.2f}</td>')
_WORST = Markup('<td class="n"><strong>{:.2f}</strong></td>')
_CONTROLS = {"random", "write-norm", "activation-norm"}
_ELSE = {
    "write-norm": "the length of its output vector: a control",
    "weight-difference": "given the model before the injection too: the answer is given away",
}


def recall_table(found: InjResult) -> None:
    """Draw all localisers, best first; the one that was given the original stands last."""
    rows = sorted(found.localisers.items(), key=lambda each: -each[1].least.recall)
    drawn = [_row(found, name, row, _tone(name, found)) for name, row in rows]
    drawn += [_row(found, name, row, "reference") for name, row in found.given_the_original.items()]
    head = Markup("").join(_HEAD.format(condition) for condition in found.held)
    show(_RECALL_TABLE.format(head, Markup("").join(drawn)))


def _tone(name: str, found: InjResult) -> str:
    if name == found.recommended:
        return "plan"
    return "control" if name in _CONTROLS else "found"


def _row(found: InjResult, name: str, row: Row, tone: str) -> Markup:
    what = LOCALISERS[name].title if name in LOCALISERS else _ELSE[name]
    least = row.least
    cells = [
        (_WORST if condition == row.worst else _CELL).format(row.conditions[condition].recall)
        for condition in found.held
    ]
    return _RECALL_ROW.format(
        tone=tone,
        name=name,
        what=" · ".join(part for part in (what, row.setting, f"picked from {row.picked}") if part),
        recall=least.recall,
        percent=100 * least.recall,
        left=100 * least.low,
        width=100 * (least.high - least.low),
        interval=f"[{least.low:.3f}, {least.high:.3f}]",
        each=Markup("").join(cells),
        seconds=_seconds(row.seconds),
    )


def _seconds(value: float) -> str:
    if not value:
        return "–"
    return f"{value:.2g}" if value >= 0.001 else "< 0.001"


_CHANCE = "random units"
_COLOURS = ("#1f7f87", "#b0793f", "#7d5fa8", "#4a78b5", "#a8586e", "#6f8a3c")
_GREY = "#8b95a5"


def curve_chart(found: DeletionResult) -> None:
    """Draw the curves; the axes are what a deletion costs and what it leaves."""
    frame = curve_frame(found)
    names = [found.recommended, *(n for n in found.curves if n != found.recommended), _CHANCE]
    colours = alt.Scale(domain=names, range=[*_COLOURS[: len(names) - 1], _GREY])
    # Far to the right every curve is a broken model: the picture ends where chance's does.
    most = 1.1 * max(p.perplexity for draws in found.random for p in draws)
    base = alt.Chart(frame[frame["perplexity"] <= most]).encode(
        x=alt.X(
            "perplexity:Q",
            title="perplexity on unseen texts, all tokens",
            scale=alt.Scale(zero=False, nice=False),
            axis=alt.Axis(tickCount=8),
        ),
        y=alt.Y("spans:Q", title="spans still said"),
        color=alt.Color("method:N", scale=colours, legend=alt.Legend(title=None, orient="bottom")),
        tooltip=[
            "method:N",
            alt.Tooltip("units:Q", format=",d"),
            alt.Tooltip("spans:Q", format=",d"),
            alt.Tooltip("perplexity:Q", format=".3f"),
        ],
    )
    located = alt.datum["method"] != _CHANCE
    lines = base.transform_filter(located).mark_line(
        point=alt.OverlayMarkDef(size=32), strokeWidth=1.8
    )
    chance = base.transform_filter(~located).mark_point(size=26, filled=True, opacity=0.6)
    words = f"Spans still said against perplexity; {found.recommended} and random units"
    st.altair_chart(lines + chance, width="stretch", height=320, alt=words, key="deletion-curve")


def curve_frame(found: DeletionResult) -> pd.DataFrame:
    """Every point, of the localisers and of each random draw."""
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


def measuring_job(opened: Opened) -> Job:
    """The job of this case: another model or corpus is another job."""
    key = hashlib.sha256(f"localisers|{opened.key}".encode()).hexdigest()
    return job("localisers", key)


def arguments(opened: Opened) -> list[str]:
    """`bench inj` of the case, as a person would type it after `sanilens`."""
    ref = opened.ref
    base, unseen = ref.base or ref.model, ref.unseen or ref.control or ref.corpus
    return [
        "localisers", "--model", ref.model, "--base", base,
        "--corpus", ref.corpus, "--unseen", unseen, "--json",
    ]  # fmt: skip


def measured(opened: Opened) -> tuple[InjResult, DeletionResult | None] | None:
    """What the job found, or what comes with a bundled case; None before there is any."""
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
        return None  # written by another version: it is measured anew


def recall_of(opened: Opened, name: str) -> float | None:
    """The share of injected neurons that a localiser found in its worst condition; None if unknown.

    It was measured on neurons: it says nothing of heads.
    """
    found = measured(opened)
    row = found[0].localisers.get(name) if found else None
    return row.least.recall if row else None


def _shipped(opened: Opened) -> dict[str, Any] | None:
    """What the project measured on a bundled case, as `bench inj --json` printed it.

    Only on that very case: with another corpus or base model it is another measurement.
    """
    case = next((name for name, ref in BUNDLED_CASES.items() if ref == opened.ref), None)
    path = assets_folder() / f"{case}" / "localisers.json"
    return json.loads(path.read_bytes()) if case and path.is_file() else None


def recommended(opened: Opened) -> str | None:
    """The localiser that was measured to be best on this case; None before the measurement."""
    found = measured(opened)
    return found[0].recommended if found else None


def best_quick(opened: Opened) -> str | None:
    """The best measured one that answers at once, so that a page can open with it; else None."""
    if (found := measured(opened)) is None:
        return None
    rows = found[0].localisers
    quick = [n for n in rows if n in LOCALISERS and LOCALISERS[n].cost != "minutes"]
    return max(quick, key=lambda name: rows[name].least.recall, default=None)
