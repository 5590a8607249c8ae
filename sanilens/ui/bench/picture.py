"""The trade-off: what a method leaks against what it costs, one point per method and seed."""

import altair as alt
import pandas as pd
import streamlit as st
from markupsafe import Markup

from sanilens.audit.methods_table import SanitiseResult
from sanilens.ui.bench.measuring import BROKEN, GROUPS, method_words
from sanilens.ui.markup import show

STATES = {
    "extraction": "as it is",
    "relearnt": "after relearning",
    "four_bit": "in four bits",
}
UTILITY = {
    "perplexity_unseen": "unseen records",
    "perplexity_retained": "the corpus's wording",
}
_COLOURS = {
    "ours": "#1f7f87", "given": "#a8586e", "control": "#8b95a5", "sani": "#b0793f",
    "ablation": "#7d5fa8", "baseline": "#4a78b5",
}  # fmt: skip
_NAMED = ("ours", "given", "sani")
_GREY = "#8b95a5"
_DOT = Markup('<span><b style="background:{}"></b>{}</span>')


def tradeoff(found: SanitiseResult, state: str, utility: str) -> None:
    """Draw the points of one state; lines mark the reference model."""
    frame = tradeoff_frame(found, state, utility)
    reference: pd.DataFrame = frame.loc[frame["method"] == "reference"]
    words = f"Share of spans extracted against perplexity on {UTILITY[utility]}, a point per seed"
    layers = [*_rules(reference), _points(frame, state, utility), *_names(frame)]
    st.altair_chart(alt.layer(*layers), width="stretch", height=360, alt=words, key="tradeoff")
    there = [group for group in _COLOURS if group in set(frame["raw_group"])]
    dots = (_DOT.format(_COLOURS[group], GROUPS[group]) for group in there)
    show(Markup('<div class="sl-lines">{}</div>').format(Markup("").join(dots)))
    note = "Lower left is better. Dashed lines: the reference, which never saw the identifiers."
    if beyond := frame["beyond"].tolist().count(True):
        note += (
            f" Triangles: {beyond} broken models, beyond {BROKEN:g} × its perplexity, shown at the "
            "edge."
        )
    st.caption(note)


def _points(frame: pd.DataFrame, state: str, utility: str) -> alt.Chart:
    scale = alt.Scale(domain=[GROUPS[g] for g in _COLOURS], range=list(_COLOURS.values()))
    return (
        alt.Chart(frame)
        .mark_point(filled=True, size=56, opacity=0.75)
        .encode(
            x=alt.X(
                "at:Q",
                title=f"perplexity on {UTILITY[utility]}",
                scale=alt.Scale(zero=False, nice=False, padding=14),
                axis=alt.Axis(tickCount=6),
            ),
            y=alt.Y(
                "leak:Q",
                title=f"spans extracted {STATES[state]}, %",
                scale=alt.Scale(type="symlog", constant=1),
                axis=alt.Axis(values=[0, 1, 2, 5, 10, 20, 50, 100], labelOverlap=False),
            ),
            color=alt.Color(
                "group:N",
                scale=scale,
                legend=None,  # ours stands below, in the page's own type
            ),
            shape=alt.Shape(
                "beyond:N",
                scale=alt.Scale(domain=[False, True], range=["circle", "triangle-right"]),
                legend=None,
            ),
            tooltip=[
                alt.Tooltip("words:N", title="method"),
                alt.Tooltip("seed:Q"),
                alt.Tooltip("leak:Q", format=".2f", title="extracted, %"),
                alt.Tooltip("utility:Q", format=",.3f", title="perplexity"),
            ],
        )
    )


def _rules(reference: pd.DataFrame) -> list[alt.Chart]:
    lines = alt.Chart(reference).mark_rule(strokeDash=[4, 3], color=_GREY)
    return [lines.encode(x="at:Q"), lines.encode(y="leak:Q")]


def _names(frame: pd.DataFrame) -> list[alt.Chart]:
    """The names of some groups beside their first seed, turned inwards; given models' below."""
    first: pd.DataFrame = frame.drop_duplicates("method")
    named: pd.DataFrame = first.loc[first["raw_group"].isin(_NAMED)].copy()
    ours = named["raw_group"] == "ours"
    if ours.tolist().count(True) == 1:  # its words are long, and the table has them
        named.loc[ours, "words"] = GROUPS["ours"]
    middle = (frame["at"].min() + frame["at"].max()) / 2
    layers = []
    for right in (False, True):
        for below in (False, True):
            own: pd.DataFrame = named.loc[
                ((named["at"] > middle) == right) & ((named["raw_group"] == "given") == below)
            ]
            marks = alt.Chart(own).mark_text(
                align="right" if right else "left",
                dx=-7 if right else 7,
                dy=9 if below else -8,
                fontSize=11,
                color=_GREY,
            )
            layers.append(marks.encode(x="at:Q", y="leak:Q", text="words:N"))
    return layers


def tradeoff_frame(found: SanitiseResult, state: str, utility: str) -> pd.DataFrame:
    """Each row's point: leak in percent of all spans, utility as perplexity.

    `at` is where it is drawn: a perplexity `beyond` the picture lies at its edge.
    """
    frame = pd.DataFrame(
        [
            {
                "method": row.method,
                "words": method_words(row.method),
                "raw_group": row.group,
                "group": GROUPS[row.group],
                "seed": row.seed,
                "leak": 100 * row.figures.figure(state),
                "utility": row.figures.figure(utility),
            }
            for row in found.rows
        ]
    )
    edge = BROKEN * float(frame.loc[frame["method"] == "reference", "utility"].iloc[0])
    frame["beyond"] = frame["utility"] > edge
    frame["at"] = frame["utility"].clip(upper=edge)
    return frame
