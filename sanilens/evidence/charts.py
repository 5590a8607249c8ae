"""The report's pictures, as Plotly's JSON: drawn by Plotly in the reader's browser, offline.

Colours are readable on light and dark paper; text takes the page's own ink. Every picture says
itself in words, and its numbers stand in a table.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sanilens.evidence.evidence import Evidence, Reading, measured
from sanilens.evidence.words import interval, number
from sanilens.extras import needs

with needs("evidence"):
    import plotly.graph_objects as go

_COLOURS = {"before": "#e0641f", "after": "#2a8f98", "reference": "#4a86c8"}
_OTHER = "#8a94a6"
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
    own = measured(evidence.rate(arm, evidence.about) or evidence.rate(arm, "everyone")
                   for arm in evidence.arms)  # fmt: skip
    if not own:
        return None
    own.reverse()  # Plotly draws from below
    bars = _bars(own, [evidence.arms[r.arm] for r in own], "", "details said")
    bars.marker.color = [_colour(r.arm) for r in own]
    words = "; ".join(f"{evidence.arms[r.arm]} {number(r.value, r.unit)}" for r in own)
    return _chart("arms", "Details said, model by model", f"Share of details said. {words}.",
                  [bars], height=70 + 34 * len(own), x="details said, %", legend=False)  # fmt: skip


def _labels(evidence: Evidence) -> Chart | None:
    about = evidence.about
    before = [r for r in evidence.of("extraction", "before", about) if r.of.startswith("label:")]
    ordered = sorted(measured(before), key=lambda r: (-(r.hits or 0), r.of), reverse=True)
    if not ordered:
        return None
    traces = []
    for arm in ("reference", "after", "before"):
        own = measured(evidence.rate(arm, about, r.of) for r in ordered)
        if own:
            names = [r.of.removeprefix("label:").replace("_", " ").lower() for r in own]
            traces.append(_bars(own, names, _colour(arm), evidence.arms[arm]))
    return _chart("labels", "By what the detail is", "Share of details said, by label, before, "
                  "after and by the reference; the numbers stand in the table of labels.", traces,
                  height=110 + 62 * len(ordered), x="details said, %")  # fmt: skip


def _persons(evidence: Evidence) -> Chart | None:
    before = measured(evidence.by_subject("before", "everyone"))[:_SHOWN_PERSONS][::-1]
    if len(before) < 2:
        return None
    traces = []
    for arm, symbol in (("before", "circle-open"), ("after", "circle")):
        own = measured(evidence.rate(arm, "everyone", r.of) for r in before)
        names = [r.of.removeprefix("subject:") for r in own]
        traces.append(
            go.Scatter(
                x=[100 * (r.value or 0) for r in own], y=names, mode="markers",
                name=evidence.arms[arm], text=[f"{r.hits} of {r.n}" for r in own],
                hovertemplate="%{y}: %{text}<extra></extra>",
                marker={"color": _colour(arm), "symbol": symbol, "size": 9, "line": {"width": 2}},
            )
        )  # fmt: skip
    many = len(measured(evidence.by_subject("before", "everyone")))
    shown = f"the {len(before):,} of {many:,} of whom most was said" if many > len(before) else (
        f"all {many:,}")  # fmt: skip
    return _chart("persons", "Person by person", f"Share of each person's details that is said, "
                  f"before and after; {shown}.", traces, height=110 + 19 * len(before),
                  x="details said, %")  # fmt: skip


def _trade_off(evidence: Evidence) -> Chart | None:
    points: list[tuple[str, Reading, Reading]] = []
    for arm in evidence.arms:
        said = evidence.rate(arm, evidence.about)
        known = evidence.reading(f"perplexity_unseen/{arm}/everyone/all")
        if said and known and said.value is not None and known.value is not None:
            points.append((arm, said, known))
    if len(points) < 3:
        return None
    traces = [
        go.Scatter(
            x=[known.value], y=[100 * (said.value or 0)], mode="markers", name=evidence.arms[arm],
            marker={"color": _colour(arm), "size": 12, "symbol": _SYMBOLS[i % len(_SYMBOLS)]},
            error_y=_error([said]),
            hovertemplate=f"{evidence.arms[arm]}: %{{y:.1f}} %, perplexity %{{x:.3f}}"
            "<extra></extra>",
        )
        for i, (arm, said, known) in enumerate(points)
    ]  # fmt: skip
    chart = _figure(traces, height=330, x="perplexity on unseen texts (lower is better)",
                    legend=True)  # fmt: skip
    chart.update_layout(yaxis={"title": {"text": "details said, %"}, "rangemode": "tozero"})
    spread = [known.value or 1 for *_, known in points]
    if max(spread) > 10 * min(spread):
        chart.update_xaxes(type="log")
    return Chart("trade-off", "What it says against what it knows", "Each model by perplexity on "
                 "unseen texts and share of details said: lower left is better.",
                 _json(chart))  # fmt: skip


def _layers(evidence: Evidence) -> Chart | None:
    if not evidence.layers:
        return None
    names = list(evidence.layers)
    bar = go.Bar(x=list(evidence.layers.values()), y=names, orientation="h",
                 marker={"color": _COLOURS["after"]})  # fmt: skip
    return _chart("layers", "Units that were changed, by layer", "How many units of each layer "
                  "were edited.", [bar], height=90 + 24 * len(names), x="units",
                  legend=False)  # fmt: skip


def _curves(evidence: Evidence) -> list[Chart]:
    """Curves of attacks: one picture a curve, all models in it."""
    made: list[Chart] = []
    for attack, by_arm in evidence.attacks.items():
        names = dict.fromkeys(s.name for result in by_arm.values() for s in result.series)
        for name in names:
            traces, first = [], None
            for arm, result in by_arm.items():
                for series in (s for s in result.series if s.name == name):
                    first = first or series
                    scale = 100 if series.unit == "share" else 1
                    points = [p for p in series.points if p.y is not None]
                    traces.append(
                        go.Scatter(
                            x=[p.x for p in points], y=[scale * (p.y or 0) for p in points],
                            mode="lines+markers", name=evidence.arms.get(arm, arm),
                            line={"color": _colour(arm), "width": 2},
                        )
                    )  # fmt: skip
            if first is None or not traces:
                continue
            chart = _figure(traces, height=330, x=first.x_label, legend=True)
            mark = ", %" if first.unit == "share" else ""
            chart.update_yaxes(title={"text": f"{first.y_label}{mark}"})
            if first.log_x:
                chart.update_xaxes(type="log")
            words = f"{first.y_label} over {first.x_label}, for {len(traces)} models."
            made.append(Chart(f"curve-{len(made)}", f"{attack}: {name}", words, _json(chart)))
    return made


_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "x", "star", "hexagon")


def _bars(readings: Sequence[Reading], names: Sequence[str], colour: str, title: str) -> go.Bar:
    return go.Bar(
        x=[100 * (r.value or 0) for r in readings], y=list(names), orientation="h", name=title,
        marker={"color": colour or _OTHER}, error_x=_error(readings),
        text=[f"{r.hits} of {r.n}, 95 %: {interval(r)}" for r in readings],
        textposition="none", hovertemplate="%{y}: %{text}<extra></extra>",
    )  # fmt: skip


def _error(readings: Sequence[Reading]) -> dict[str, Any]:
    """Interval ends as distances from the value, in percent."""
    up = [100 * ((r.high or 0) - (r.value or 0)) for r in readings]
    down = [100 * ((r.value or 0) - (r.low or 0)) for r in readings]
    return {"type": "data", "symmetric": False, "array": up, "arrayminus": down,
            "color": _OTHER, "thickness": 1.3, "width": 3}  # fmt: skip


def _colour(arm: str) -> str:
    return _COLOURS.get(arm, _OTHER)


def _chart(
    name: str, title: str, words: str, traces: Sequence[Any], *, height: int, x: str,
    legend: bool = True,
) -> Chart:  # fmt: skip
    figure = _figure(traces, height=height, x=x, legend=legend)
    figure.update_yaxes(type="category")  # ids of digits are names as well
    return Chart(name, title, words, _json(figure))


def _figure(traces: Sequence[Any], *, height: int, x: str, legend: bool) -> go.Figure:
    clear = "rgba(0,0,0,0)"
    grid = {"gridcolor": "rgba(138,148,166,.25)", "zerolinecolor": "rgba(138,148,166,.5)"}
    figure = go.Figure(list(traces))
    figure.update_layout(
        template=None, width=_WIDTH, height=height, paper_bgcolor=clear, plot_bgcolor=clear,
        margin={"l": 10, "r": 16, "t": 8, "b": 44}, font={"family": "inherit", "size": 12},
        barmode="group", bargap=0.25, showlegend=legend,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0,
                "traceorder": "reversed"},
        xaxis={"title": {"text": x, "standoff": 8}, "automargin": True, **grid},
        yaxis={"automargin": True, **grid},
    )  # fmt: skip
    return figure


def _json(figure: go.Figure) -> str:
    """The same bytes at every making; safe within a script element."""
    text = json.dumps(figure.to_plotly_json(), sort_keys=True, separators=(",", ":"))
    return text.replace("<", "\\u003c")
