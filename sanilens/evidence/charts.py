"""The report's pictures, as Plotly's JSON: drawn by Plotly in the reader's browser, offline.

They look as the app's do (sanilens/charts.py). Every picture says itself in words, and its numbers
stand in a table.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sanilens.charts import (
    COLOURS,
    GREY,
    TEMPLATE,
    TONES,
    Axis,
    Estimate,
    Line,
    axis_of,
    forest,
    lines,
)
from sanilens.evidence.evidence import Evidence, measured
from sanilens.evidence.words import number
from sanilens.extras import needs

with needs("evidence"):
    import plotly.graph_objects as go

_TONE: dict[str, Literal["leak", "plan", "reference"]] = {
    "before": "leak", "after": "plan", "reference": "reference",
}  # fmt: skip
_SAID = Axis("details said", format=".0%", between=(-0.02, 1.02))
_SHOWN_PERSONS = 40
_WIDTH = 660


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture: its id, its title, what it says in words, and Plotly's JSON."""

    id: str
    title: str
    words: str
    figure: str


def charts(evidence: Evidence) -> list[Chart]:
    """Every picture that there is something for."""
    makers: tuple[Callable[[Evidence], Chart | None], ...] = (
        _arms, _labels, _persons, _trade_off, _layers,
    )  # fmt: skip
    made = [chart for make in makers if (chart := make(evidence))]
    return made + _curves(evidence)


def _arms(evidence: Evidence) -> Chart | None:
    own = measured(
        evidence.rate(arm, evidence.about) or evidence.rate(arm, "everyone")
        for arm in evidence.arms
    )
    if not own:
        return None
    estimates = [
        Estimate(
            evidence.arms[r.arm], r.value or 0, r.low or 0, r.high or 0, r.n or 0,
            _TONE.get(r.arm, "control"),
        )
        for r in own
    ]  # fmt: skip
    words = "; ".join(f"{evidence.arms[r.arm]} {number(r.value, r.unit)}" for r in own)
    figure = forest(estimates, _SAID)
    return _chart("arms", "Details said, model by model", f"Share of details said. {words}.",
                  figure, 56 + 26 * len(own))  # fmt: skip


def _labels(evidence: Evidence) -> Chart | None:
    about = evidence.about
    before = [r for r in evidence.of("extraction", "before", about) if r.of.startswith("label:")]
    ordered = sorted(measured(before), key=lambda r: (-(r.hits or 0), r.of))
    if not ordered:
        return None
    shown = [arm for arm in ("before", "after", "reference") if arm in evidence.arms]
    estimates = [
        Estimate(
            r.of.removeprefix("label:").replace("_", " ").lower(),
            own.value or 0, own.low or 0, own.high or 0, own.n or 0, _TONE[arm],
        )
        for r in ordered
        for arm in shown
        for own in measured([evidence.rate(arm, about, r.of)])
    ]  # fmt: skip
    figure = forest(estimates, _SAID, legend={_TONE[arm]: evidence.arms[arm] for arm in shown})
    return _chart("labels", "By what the detail is", "Share of details said, by label: before, "
                  "after, and by the reference, each on its 95 % interval. The numbers stand in "
                  "the table of labels.", figure, 90 + 38 * len(ordered), legend=True)  # fmt: skip


def _persons(evidence: Evidence) -> Chart | None:
    everyone = measured(evidence.by_subject("before", "everyone"))
    before = everyone[:_SHOWN_PERSONS]
    if len(before) < 2:
        return None
    figure = go.Figure(layout={"template": TEMPLATE})
    for arm, symbol in (("before", "circle-open"), ("after", "circle")):
        own = measured(evidence.rate(arm, "everyone", r.of) for r in before)
        figure.add_trace(
            go.Scatter(
                x=[r.value for r in own], y=[r.of.removeprefix("subject:") for r in own],
                mode="markers", name=evidence.arms[arm], text=[f"{r.hits} of {r.n}" for r in own],
                hovertemplate="%{y}: %{text}<extra></extra>",
                marker={"color": _colour(arm), "symbol": symbol, "size": 8, "line": {"width": 2}},
            )
        )  # fmt: skip
    figure.update_layout(xaxis=_SAID.layout, yaxis={"type": "category", "autorange": "reversed",
                                                    "dtick": 1})  # fmt: skip
    shown = f"all {len(everyone):,}"
    if len(everyone) > len(before):
        shown = f"the {len(before):,} of {len(everyone):,} of whom most was said"
    return _chart("persons", "Person by person", f"Share of each person's details that is said, "
                  f"before and after; {shown}.", figure, 90 + 15 * len(before),
                  legend=True)  # fmt: skip


def _trade_off(evidence: Evidence) -> Chart | None:
    points: list[Line] = []
    spread: list[float] = []
    for i, arm in enumerate(evidence.arms):
        said = evidence.rate(arm, evidence.about)
        known = evidence.reading(f"perplexity_unseen/{arm}/everyone/all")
        if not said or not known or said.value is None or known.value is None:
            continue
        words = f"{number(said.value, 'share')} said, perplexity {known.value:.3f}"
        points.append(
            Line(evidence.arms[arm], [known.value], [said.value], _colour(arm), dash=None,
                 symbol=("circle", "diamond", "square", "triangle-right")[i % 4], words=[words])
        )  # fmt: skip
        spread.append(known.value)
    if len(points) < 3:
        return None
    scale = "log" if max(spread) > 10 * min(spread) else "linear"
    figure = lines(points, Axis("perplexity on unseen texts", scale=scale), _SAID, legend=True)
    figure.update_traces(marker={"size": 11})
    return _chart("trade-off", "What it says against what it knows", "Each model by perplexity on "
                  "unseen texts and share of details said: lower left is better.", figure, 320,
                  legend=True)  # fmt: skip


def _layers(evidence: Evidence) -> Chart | None:
    if not evidence.layers:
        return None
    names = list(evidence.layers)
    figure = go.Figure(layout={"template": TEMPLATE})
    figure.add_trace(go.Bar(x=list(evidence.layers.values()), y=names, orientation="h",
                            marker={"color": TONES["plan"]}))  # fmt: skip
    figure.update_layout(xaxis=Axis("units", whole=True).layout,
                         yaxis={"type": "category", "autorange": "reversed"})  # fmt: skip
    return _chart("layers", "Units that were changed, by layer",
                  "How many units of each layer were edited.", figure,
                  70 + 22 * len(names))  # fmt: skip


def _curves(evidence: Evidence) -> list[Chart]:
    """Curves of attacks: one picture a curve, all models in it."""
    made: list[Chart] = []
    for attack, by_arm in evidence.attacks.items():
        curves = [(arm, s) for arm, result in by_arm.items() for s in result.series]
        for name in dict.fromkeys(series.name for _, series in curves):
            own = [(arm, series) for arm, series in curves if series.name == name]
            first = own[0][1]
            points = [point for _, series in own for point in series.points]
            x = axis_of(first.x_label, [p.x for p in points], log=first.log_x)
            y = axis_of(first.y_label, [p.y for p in points if p.y is not None],
                        share=first.unit == "share")  # fmt: skip
            drawn = [
                Line(evidence.arms.get(arm, arm), [p.x for p in series.points],
                     [p.y for p in series.points], _colour(arm) if arm in _TONE else COLOURS[2])
                for arm, series in own
            ]  # fmt: skip
            models = f"{len(own)} model{'s' * (len(own) != 1)}"
            figure = lines(drawn, x, y, legend=True)
            if first.unit == "share":
                figure.update_yaxes(rangemode="nonnegative")
            made.append(
                _chart(
                    f"curve-{len(made)}",
                    f"{attack.capitalize()}: {name}",
                    f"{first.y_label.capitalize()} over {first.x_label}, for {models}.",
                    figure,
                    320,
                    legend=True,
                )
            )
    return made


def _colour(arm: str) -> str:
    return TONES[_TONE[arm]] if arm in _TONE else GREY


def _chart(
    name: str, title: str, words: str, figure: go.Figure, height: int, *, legend: bool = False
) -> Chart:
    """One width, which fits an A4 page as well; the page's own ink for all text."""
    figure.update_layout(
        width=_WIDTH, height=height, showlegend=legend, font={"family": "inherit"},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
    )  # fmt: skip
    return Chart(name, title, words, _json(figure))


def _json(figure: go.Figure) -> str:
    """The same bytes at every making; safe within a script element."""
    fields = _finite(figure.to_plotly_json())
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _finite(value: Any) -> Any:
    """NaN is no JSON; Plotly leaves a gap at null."""
    match value:
        case dict():
            return {name: _finite(own) for name, own in value.items()}
        case list() | tuple():
            return [_finite(own) for own in value]
        case float() if not math.isfinite(value):
            return None
        case _:
            return value
