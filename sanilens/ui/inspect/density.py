"""How strongly a unit fires on sensitive and on other tokens, as a picture."""

from itertools import pairwise

import altair as alt
import pandas as pd
import streamlit as st

from sanilens.inspect.card import Card

_SENSITIVE, _OTHER = "sensitive", "other"


def density_chart(card: Card) -> None:
    """Two histograms of shares; the root scale keeps rare strong tokens visible."""
    edges, sensitive, other = card.density
    middles = [(a + b) / 2 for a, b in pairwise(edges)]
    frame = pd.DataFrame(
        {
            "activation": middles * 2,
            "share": [*sensitive, *other],
            "tokens": [_SENSITIVE] * len(sensitive) + [_OTHER] * len(other),
        }
    )
    dark = st.context.theme.type == "dark"
    colours = ["#f08a4b", "#7b8798"] if dark else ["#d94801", "#98a2b3"]
    chart = (
        alt.Chart(frame)
        .mark_area(interpolate="step", opacity=0.35, line={"strokeWidth": 1.5})
        .encode(
            x=alt.X("activation:Q", title="activation", axis=alt.Axis(grid=False, tickCount=5)),
            y=alt.Y(
                "share:Q",
                title="share of tokens",
                stack=None,
                scale=alt.Scale(type="sqrt"),
                axis=alt.Axis(format="%", tickCount=3),
            ),
            color=alt.Color(
                "tokens:N",
                scale=alt.Scale(domain=[_SENSITIVE, _OTHER], range=colours),
                legend=alt.Legend(title=None, orient="top", offset=2, padding=0),
            ),
            tooltip=[
                "tokens:N",
                alt.Tooltip("activation:Q", format=".2f"),
                alt.Tooltip("share:Q", format=".2%"),
            ],
        )
    )
    alt_text = f"Activation of {card.unit} on sensitive and on other tokens; AUROC {card.auroc:.2f}"
    st.altair_chart(chart, alt=alt_text, key="density", height=165)
