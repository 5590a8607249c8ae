"""The trade-off: what a method leaks against what it costs, one point a method and seed."""

import altair as alt
import pandas as pd
import streamlit as st

from sanilens.bench.sanitise.run import SanitiseResult
from sanilens.bench.sanitise.table import said_share

STATES = {
    "extracted": "as it is",
    "relearnt": "after relearning",
    "four_bit": "in four bits",
}
UTILITY = {
    "perplexity_unseen": "perplexity on unseen records",
    "perplexity_retained": "perplexity on the corpus's own wording",
}
_GROUPS = {
    "ours": "#1f7f87", "control": "#8b95a5", "sani": "#b0793f", "ablation": "#7d5fa8",
    "baseline": "#4a78b5", "given": "#a8586e",
}  # fmt: skip
_NAMED = ("ours", "given", "sani")
# Beyond this share of the reference's perplexity a model is broken, and squeezes the picture.
_BROKEN = 1.6


def tradeoff(found: SanitiseResult, state: str, utility: str) -> None:
    """Draw the points of one state; the reference model is marked by lines."""
    frame = tradeoff_frame(found, state, utility)
    reference = frame[frame["method"] == "reference"].iloc[0]
    shown: pd.DataFrame = frame.loc[frame["utility"] <= _BROKEN * reference["utility"]]
    points = alt.Chart(shown).encode(
        x=alt.X("utility:Q", title=UTILITY[utility], scale=alt.Scale(zero=False, nice=False)),
        y=alt.Y(
            "leak:Q",
            title=f"spans extracted {STATES[state]}, %",
            scale=alt.Scale(type="symlog", constant=1),
            axis=alt.Axis(values=[0, 1, 2, 5, 10, 20, 50, 100]),
        ),
        color=alt.Color(
            "group:N",
            scale=alt.Scale(domain=list(_GROUPS), range=list(_GROUPS.values())),
            legend=alt.Legend(title=None, orient="bottom"),
        ),
        tooltip=[
            "method:N",
            "seed:Q",
            alt.Tooltip("leak:Q", format=".2f", title="extracted, %"),
            alt.Tooltip("utility:Q", format=".3f", title="perplexity"),
        ],
    )
    lines = alt.Chart(pd.DataFrame([reference]))
    rules = lines.mark_rule(strokeDash=[4, 3], opacity=0.5)
    marks = points.mark_point(filled=True, size=64, opacity=0.8)
    first: pd.DataFrame = shown.loc[shown["seed"] == shown["seed"].min()]
    ours: pd.DataFrame = first.loc[[group in _NAMED for group in first["group"]]]
    names = alt.Chart(ours).mark_text(align="left", dx=7, dy=-6, fontSize=11)
    drawn = (
        rules.encode(x="utility:Q")
        + rules.encode(y="leak:Q")
        + marks
        + names.encode(x="utility:Q", y="leak:Q", text="method:N")
    )
    hidden = len(frame) - len(shown)
    words = "Share of spans extracted against perplexity, one point a method and seed"
    st.altair_chart(drawn, width="stretch", height=380, alt=words, key="tradeoff")
    note = "Lower left is better. Dashed: the reference, which never saw the identifiers."
    if hidden:
        note += f" {hidden} points above {_BROKEN:g} × its perplexity are left out."
    st.caption(note)


def tradeoff_frame(found: SanitiseResult, state: str, utility: str) -> pd.DataFrame:
    """Every row's point: leak in percent of all spans, utility as perplexity."""
    return pd.DataFrame(
        [
            {
                "method": row.method,
                "group": row.group,
                "seed": row.seed,
                "leak": 100 * said_share(getattr(row.figures, state)),
                "utility": getattr(row.figures, utility),
            }
            for row in found.rows
        ]
    )
