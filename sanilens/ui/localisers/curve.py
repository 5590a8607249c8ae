"""The deletion curve: spans still said against perplexity, by localiser, chance as points."""

import altair as alt
import pandas as pd
import streamlit as st

from sanilens.bench.deletion import DeletionResult
from sanilens.inspect.deletion import Deletion

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
