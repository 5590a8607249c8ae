"""A run's live curves: loss, extraction and perplexity by step, one line per arm."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st
from markupsafe import Markup

from sanilens.runs.arms import TITLES, ArmName
from sanilens.runs.progress import RunProgress, smoothed, thinned
from sanilens.ui.markup import show

# Middle tones, legible on both of the app's backgrounds; a dash tells the lines apart too.
_COLOURS: Mapping[ArmName, str] = {
    "after": "#1f7f87",
    "repair_only": "#8b95a5",
    "random_units": "#b0793f",
    "another_subject": "#8a63a8",
}
_DASHES: Mapping[ArmName, tuple[str, list[int]]] = {
    "after": ("solid", [1, 0]),
    "repair_only": ("dashed", [6, 3]),
    "random_units": ("dotted", [2, 2]),
    "another_subject": ("dashed", [1, 3]),
}
_HEIGHT = 190
# Batches differ more among themselves than the repair changes the loss.
_WINDOW = 8
_LEAST = 0.05
_LINE = Markup('<span><i style="border-top: 2.5px {} {}"></i>{}</span>')
_TITLE = Markup('<h4 class="sl-chart-title">{}</h4>')


def curves(progress: RunProgress) -> None:
    """Draw the three charts side by side, and their legend below."""
    if not progress.curves:
        st.caption("The curves start with the first repair, once the first arm is measured.")
        return
    arms: list[ArmName] = [a.name for a in progress.arms.values() if a.repaired]
    losses = smoothed(progress.losses, "loss", _WINDOW)
    charts = (
        (f"Loss, mean of {_WINDOW} steps", losses, "loss", "nats per token", False),
        ("Spans extracted, in a sample", progress.curves, "rate", "share of spans", True),
        ("Perplexity, unseen texts", progress.curves, "perplexity", "perplexity", True),
    )
    for column, (title, rows, value, axis, points) in zip(
        st.columns(3, gap="small"), charts, strict=True
    ):
        with column:
            show(_TITLE.format(title))
            _chart(title, rows, value, axis, points, arms)
    lines = [_LINE.format(_DASHES[arm][0], _COLOURS[arm], TITLES[arm]) for arm in arms]
    show(Markup('<div class="sl-lines">{}</div>').format(Markup("").join(lines)))


def curves_csv(progress: RunProgress) -> str:
    """Both tables in one: step, arm, and what was measured there."""
    frames = [pd.DataFrame(rows) for rows in (progress.losses, progress.curves) if rows]
    return pd.concat(frames).to_csv(index=False) if frames else ""


def _chart(
    title: str,
    rows: Sequence[dict[str, Any]],
    value: str,
    axis: str,
    points: bool,
    arms: Sequence[ArmName],
) -> None:
    named = [{**row, "title": TITLES[row["arm"]]} for row in thinned(rows)]
    data = pd.DataFrame(named or [{"step": 0, value: None, "title": ""}]).astype({value: "float64"})
    titles = [TITLES[arm] for arm in arms]
    colours = alt.Scale(domain=titles, range=[_COLOURS[arm] for arm in arms])
    dashes = alt.Scale(domain=titles, range=[_DASHES[arm][1] for arm in arms])
    y_axis, y_scale = alt.Axis(tickCount=4), alt.Scale(zero=False)
    if value == "rate":  # a range even where nothing is extracted, or the axis reads 0.000000 %
        most = max([_LEAST, *(row["rate"] for row in rows)])
        y_axis, y_scale = alt.Axis(format=".0%", tickCount=4), alt.Scale(domain=[0, most])
    chart = (
        alt.Chart(data)
        .mark_line(point=alt.OverlayMarkDef(size=28) if points else False, strokeWidth=1.8)
        .encode(
            x=alt.X("step:Q", title="step", axis=alt.Axis(tickMinStep=1, tickCount=5, format="d")),
            y=alt.Y(f"{value}:Q", title=axis, axis=y_axis, scale=y_scale),
            color=alt.Color("title:N", scale=colours, legend=None),
            strokeDash=alt.StrokeDash("title:N", scale=dashes, legend=None),
            tooltip=["title:N", "step:Q", alt.Tooltip(f"{value}:Q", format=".4f")],
        )
    )
    st.altair_chart(
        chart, width="stretch", height=_HEIGHT, key=f"run-{value}", alt=_words(title, rows, value)
    )


def _words(title: str, rows: Sequence[dict[str, Any]], value: str) -> str:
    """The chart for those who do not see it: each line's first and last value."""
    lines: dict[str, list[float]] = {}
    for row in rows:
        lines.setdefault(TITLES[row["arm"]], []).append(row[value])
    said = [f"{arm} from {v[0]:.3g} to {v[-1]:.3g}" for arm, v in lines.items()]
    return f"{title} by step. " + ("; ".join(said) or "No step yet") + "."
