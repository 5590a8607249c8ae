"""A run's live curves: loss, extraction and perplexity by step, one line per arm."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st
from markupsafe import Markup

from sanilens.charts import GREY, Axis, Dash, Line, lines
from sanilens.runs.arms import TITLES, ArmName
from sanilens.runs.progress import RunProgress, smoothed, thinned
from sanilens.ui.charts import draw
from sanilens.ui.markup import show

# A dash tells the lines apart too: in a chart, and in the legend below by its style there.
_LOOKS: Mapping[ArmName, tuple[str, Dash, str]] = {
    "after": ("#1f7f87", "solid", "solid"),
    "repair_only": (GREY, "dash", "dashed"),
    "random_units": ("#b0793f", "dot", "dotted"),
    "another_subject": ("#8a63a8", "longdash", "dashed"),
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
    with st.container(key="sl-curves"):
        columns = st.columns(3, gap="small")
    for column, (title, rows, value, axis, points) in zip(columns, charts, strict=True):
        with column:
            show(_TITLE.format(title))
            _chart(title, rows, value, axis, points, arms)
    legend = []
    for arm in arms:
        colour, _, style = _LOOKS[arm]
        legend.append(_LINE.format(style, colour, TITLES[arm]))
    show(Markup('<div class="sl-lines">{}</div>').format(Markup("").join(legend)))


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
    own = []
    for arm in arms:
        there = [row for row in thinned(rows) if row["arm"] == arm]
        steps, values = [row["step"] for row in there], [row[value] for row in there]
        colour, dash, _ = _LOOKS[arm]
        own.append(Line(TITLES[arm], steps, values, colour, dash, markers=points))
    y = Axis(axis)
    if value == "rate":  # a range even where nothing is extracted, or the axis reads 0.000000 %
        most = max([_LEAST, *(row["rate"] for row in rows)])
        y = Axis(axis, format=".0%", between=(0, 1.05 * most))
    figure = lines(own, Axis("step", whole=True), y)
    draw(figure, f"run-{value}", _words(title, rows, value), _HEIGHT)


def _words(title: str, rows: Sequence[dict[str, Any]], value: str) -> str:
    """The chart for those who do not see it: each line's first and last value."""
    lines: dict[str, list[float]] = {}
    for row in rows:
        lines.setdefault(TITLES[row["arm"]], []).append(row[value])
    said = [f"{arm} from {v[0]:.3g} to {v[-1]:.3g}" for arm, v in lines.items()]
    return f"{title} by step. " + ("; ".join(said) or "No step yet") + "."
