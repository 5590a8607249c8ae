"""The trade-off: what a method leaks against what it costs, one point per method and seed."""

from collections.abc import Iterator

import pandas as pd
import streamlit as st
from markupsafe import Markup

from sanilens.audit.methods_table import SanitiseResult
from sanilens.charts import GREY, Axis, Line, lines
from sanilens.ui.bench.measuring import BROKEN, GROUPS, method_words
from sanilens.ui.charts import draw
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
_TICKS = (0, 1, 2, 5, 10, 20, 50, 100)
_DOT = Markup('<span><b style="background:{}"></b>{}</span>')


def tradeoff(found: SanitiseResult, state: str, utility: str) -> None:
    """Draw the points of one state; lines mark the reference model."""
    frame = tradeoff_frame(found, state, utility)
    reference: pd.DataFrame = frame.loc[frame["method"] == "reference"]
    y = Axis(f"spans extracted {STATES[state]}, %", "symlog", ticks=_TICKS)
    figure = lines(
        [_points(frame.loc[frame["raw_group"] == group], group) for group in _COLOURS],
        Axis(f"perplexity on {UTILITY[utility]}"),
        y,
        rules=[
            ("x", float(reference["at"].iloc[0])),
            ("y", float(reference["leak"].to_numpy().mean())),
        ],
    )
    for name in _names(frame, y):
        figure.add_annotation(name)
    words = f"Share of spans extracted against perplexity on {UTILITY[utility]}, a point per seed"
    draw(figure, "tradeoff", words, 380)
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


def _points(own: pd.DataFrame, group: str) -> Line:
    return Line(
        GROUPS[group],
        own["at"].tolist(),
        own["leak"].tolist(),
        _COLOURS[group],
        dash=None,
        symbol=["triangle-right" if beyond else "circle" for beyond in own["beyond"]],
        words=[
            f"{row['words']}, seed {row['seed']}: {row['leak']:.2f} % extracted, "
            f"perplexity {row['utility']:,.3f}"
            for row in own.to_dict("records")
        ],
    )


def _names(frame: pd.DataFrame, y: Axis) -> Iterator[dict[str, object]]:
    """The names of some groups beside their first seed, turned inwards; given models' below."""
    first: pd.DataFrame = frame.drop_duplicates("method")
    named: pd.DataFrame = first.loc[first["raw_group"].isin(_NAMED)].copy()
    ours = named["raw_group"] == "ours"
    if ours.tolist().count(True) == 1:  # its words are long, and the table has them
        named.loc[ours, "words"] = GROUPS["ours"]
    middle = (frame["at"].min() + frame["at"].max()) / 2
    for row in named.to_dict("records"):
        right = row["at"] > middle
        yield {
            "x": row["at"],
            "y": y.at(row["leak"]),
            "text": row["words"],
            "showarrow": False,
            "xanchor": "right" if right else "left",
            "xshift": -7 if right else 7,
            "yshift": -9 if row["raw_group"] == "given" else 9,
            "font": {"size": 11, "color": GREY},
        }


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
