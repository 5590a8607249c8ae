"""A run's live curves: loss, spans said and perplexity over the steps, one line an arm."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from sanilens.runs.arms import TITLES
from sanilens.runs.progress import Progress, thinned

# Middle tones, legible on both of the app's backgrounds; a dash tells the lines apart too.
_COLOURS: Mapping[str, str] = {
    "after": "#1f7f87",
    "repair_only": "#8b95a5",
    "random_units": "#b0793f",
}
_DASHES: Mapping[str, list[int]] = {
    "after": [1, 0],
    "repair_only": [6, 3],
    "random_units": [2, 2],
}
_HEIGHT = 210


def curves(progress: Progress) -> None:
    """Draw the three charts side by side, and offer what they show as a file."""
    arms = [name for name in _COLOURS if name in progress.arms]
    charts = (
        ("Loss", progress.losses, "loss", "nats a token", False),
        ("Spans said, in a sample", progress.curves, "rate", "share of spans", True),
        ("Perplexity, unseen notes", progress.curves, "perplexity", "perplexity", True),
    )
    for column, (title, rows, value, axis, points) in zip(
        st.columns(3, gap="medium"), charts, strict=True
    ):
        with column:
            _chart(title, rows, value, axis, points, arms)


def curves_csv(progress: Progress) -> str:
    """Both tables in one: step, arm, and whatever was measured there."""
    frames = [pd.DataFrame(rows) for rows in (progress.losses, progress.curves) if rows]
    return pd.concat(frames).to_csv(index=False) if frames else ""


def _chart(
    title: str,
    rows: Sequence[dict[str, Any]],
    value: str,
    axis: str,
    points: bool,
    arms: Sequence[str],
) -> None:
    named = [{**row, "title": TITLES[row["arm"]]} for row in thinned(rows)]
    data = pd.DataFrame(named or [{"step": 0, value: None, "title": ""}]).astype({value: "float64"})
    shown = [TITLES[arm] for arm in arms]  # pyright: ignore[reportArgumentType]
    scale = alt.Scale(domain=shown, range=[_COLOURS[arm] for arm in arms])
    dash = alt.Scale(domain=shown, range=[_DASHES[arm] for arm in arms])
    legend = alt.Legend(title=None, orient="bottom", columns=1, symbolType="stroke")
    y_axis = alt.Axis(format="%") if value == "rate" else alt.Axis()
    chart = (
        alt.Chart(data, title=alt.TitleParams(title, fontSize=13, fontWeight=600, anchor="start"))
        .mark_line(point=alt.OverlayMarkDef(size=28) if points else False, strokeWidth=1.8)
        .encode(
            x=alt.X("step:Q", title="step", axis=alt.Axis(tickMinStep=1, format="d")),
            y=alt.Y(f"{value}:Q", title=axis, axis=y_axis, scale=alt.Scale(zero=value == "rate")),
            color=alt.Color("title:N", scale=scale, legend=legend),
            strokeDash=alt.StrokeDash("title:N", scale=dash, legend=legend),
            tooltip=["title:N", "step:Q", alt.Tooltip(f"{value}:Q", format=".4f")],
        )
        .properties(height=_HEIGHT)
    )
    st.altair_chart(chart, width="stretch", key=f"run-{value}", alt=_words(title, rows, value))


def _words(title: str, rows: Sequence[dict[str, Any]], value: str) -> str:
    """The chart for those who do not see it: each line's first and last value."""
    lines: dict[str, list[float]] = {}
    for row in rows:
        lines.setdefault(TITLES[row["arm"]], []).append(row[value])
    said = [f"{arm} from {v[0]:.3g} to {v[-1]:.3g}" for arm, v in lines.items()]
    return f"{title} by step. " + ("; ".join(said) or "No step yet") + "."
