"""The charts of app and report: what a line, an interval or a point looks like, and how axes read.

Every colour is a middle tone that is legible on a light and on a dark page, and a dash or a shape
tells apart what a colour tells apart. Knows figures as numbers, never whose they are.
"""

import csv
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from io import StringIO
from typing import Literal

from sanilens.extras import needs

with needs("evidence"):
    import plotly.graph_objects as go

GREY = "#8b95a5"
# In this order, so that neighbours differ in lightness too.
COLOURS = ("#1f7f87", "#b0793f", "#7d5fa8", "#4a78b5", "#a8586e", "#6f8a3c")
TONES = {"leak": "#c8641f", "control": GREY, "plan": "#1f7f87", "reference": "#6f7b8f"}
"""Of an interval, by what it is of: the leaking model, a control, the plan, the reference."""

# More of them crowd an axis.
_MOST_TICKS = 8

Tone = Literal["leak", "control", "plan", "reference"]
Scale = Literal["linear", "log", "square root", "symlog"]
Dash = Literal["solid", "dash", "dot", "longdash", "dashdot"]
Symbol = Literal["circle", "triangle-right", "diamond", "square"]

TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": "Inter, 'Segoe UI', system-ui, sans-serif", "size": 12, "color": GREY},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 8, "r": 22, "t": 8, "b": 8},
        "showlegend": False,
        "hovermode": "closest",
        "hoverlabel": {"namelength": -1},
        "colorway": COLOURS,
        "xaxis": {"gridcolor": "rgba(139,149,165,.18)", "zeroline": False, "automargin": True},
        "yaxis": {"gridcolor": "rgba(139,149,165,.18)", "zeroline": False, "automargin": True},
    }
)


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis says.

    Attributes:
        title: what is measured, and its unit.
        scale: how it is stretched; where that isn't linear, the title says so.
        format: of its numbers, in d3's language.
        between: the range to show, in the figures' own unit; None: what the figures need.
        ticks: the numbers to be written, or None for round ones.
        whole: only whole numbers are written.
    """

    title: str
    scale: Scale = "linear"
    format: str = ""
    between: tuple[float, float] | None = None
    ticks: Sequence[float] | None = None
    whole: bool = False

    def at(self, value: float | None) -> float | None:
        """Where a figure lies; None where it isn't a number."""
        return None if value is None or math.isnan(value) else self.place(value)

    def place(self, value: float) -> float:
        """Where a number lies, in what plotly is given."""
        match self.scale:
            case "square root":
                return math.sqrt(value)
            case "symlog":
                return math.copysign(math.log10(1 + abs(value)), value)
            case _:
                return value

    @property
    def layout(self) -> dict[str, object]:
        """For plotly's layout."""
        said = self.title if self.scale == "linear" else f"{self.title} ({self.scale} scale)"
        found: dict[str, object] = {"title": {"text": said, "standoff": 16}}
        if self.scale == "log":
            found["type"] = "log"
        if self.format:
            found["tickformat"] = self.format
        if self.between:
            # Plotly counts the range of a logarithmic axis in decades.
            place = math.log10 if self.scale == "log" else self.place
            found["range"] = [place(bound) for bound in self.between]
        if self.ticks is not None:
            found["tickvals"] = [self.at(tick) for tick in self.ticks]
            percent = self.format.endswith("%")
            found["ticktext"] = [f"{100 * t:g}%" if percent else f"{t:g}" for t in self.ticks]
        if self.whole:
            found["tickformat"], found["nticks"] = ",d", 6
        return found


def axis_of(title: str, values: Iterable[float], *, log: bool = False, share: bool = False) -> Axis:
    """An axis for a curve's numbers, written so that no two of its ticks read alike.

    A logarithmic one names the numbers themselves where they are whole, or else powers of ten; one
    of shares begins at 0 and shows at least a tenth, or a few in a thousand would look like all.
    """
    own = sorted({value for value in values if math.isfinite(value)})
    if share:
        top = max(own, default=0.0)
        return Axis(title, format=".0%", between=(0.0, 0.1) if top < 0.1 else None)
    whole = all(value == round(value) for value in own)
    if not log or not own or own[0] <= 0:
        return Axis(title, whole=whole)
    if len(own) <= _MOST_TICKS and whole:
        return Axis(title, scale="log", ticks=own)
    decades = range(math.floor(math.log10(own[0])), math.ceil(math.log10(own[-1])) + 1)
    return Axis(title, scale="log", ticks=[10.0**power for power in decades])


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its points, or points alone; and a band from `low` to `high`, if given.

    `words` stands over each point when it is pointed at, instead of its numbers; `picks` names what
    a click on it chooses.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float | None]
    colour: str
    dash: Dash | None = "solid"
    markers: bool = True
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None
    step: bool = False
    filled: bool = False
    symbol: Symbol | Sequence[Symbol] = "circle"
    words: Sequence[str] | None = None
    picks: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval, and on how many it rests; NaN: not measured.

    `pick` names what a click on it chooses.
    """

    name: str
    value: float
    low: float
    high: float
    n: int
    tone: Tone = "control"
    pick: str = ""


def lines(
    own: Sequence[Line],
    x: Axis,
    y: Axis,
    *,
    legend: bool = False,
    rules: Sequence[tuple[Literal["x", "y"], float]] = (),
) -> go.Figure:
    """Lines over a common axis; `rules` are dashed lines across the whole picture."""
    figure = go.Figure(layout={"template": TEMPLATE, "showlegend": legend})
    for line in own:
        if line.low is not None and line.high is not None:
            figure.add_trace(_band(line, x, y))
    for line in own:
        figure.add_trace(_trace(line, x, y))
    for which, value in rules:
        draw = figure.add_vline if which == "x" else figure.add_hline
        at = (x if which == "x" else y).at(value)
        draw(at, line={"color": GREY, "width": 1, "dash": "dash"})
    figure.update_layout(
        meta={CSV: _table(("series", x.title, y.title, "low", "high"), _rows(own))},
        xaxis=x.layout,
        yaxis=y.layout,
        yaxis_title_standoff=8,  # its labels are beside it, not above
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
    )
    return figure


def forest(
    own: Sequence[Estimate],
    x: Axis,
    *,
    rule: float | None = None,
    legend: Mapping[Tone, str] | None = None,
) -> go.Figure:
    """Each figure as a dot on its interval, the first at the top; `rule` is what to hold them to.

    The axis is cut to the intervals. What wasn't measured keeps its line, without a dot. Figures of
    one name share a line; `legend` then says what each tone stands for.
    """
    figure = go.Figure(layout={"template": TEMPLATE, "showlegend": bool(legend)})
    said: Mapping[Tone, str] = legend or {}
    told = set(said)
    lines_of = {name: line for line, name in enumerate(dict.fromkeys(one.name for one in own))}
    sharing = Counter(one.name for one in own)
    drawn: Counter[str] = Counter()
    for one in own:
        # Those of one line stand a little apart, or their intervals would hide one another.
        beside = (drawn[one.name] - (sharing[one.name] - 1) / 2) * _APART
        drawn[one.name] += 1
        measured = not math.isnan(one.value)
        name = escape(one.name, quote=False)
        says = f"{name}: {one.value:.4g} [{one.low:.4g}, {one.high:.4g}], n = {one.n:,}"
        figure.add_trace(
            go.Scatter(
                x=[x.at(one.value) if measured else None],
                y=[lines_of[one.name] + beside],
                mode="markers",
                marker={"size": 9, "color": TONES[one.tone]},
                customdata=[one.pick],
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [x.place(one.high) - x.place(one.value)],
                    "arrayminus": [x.place(one.value) - x.place(one.low)],
                    "thickness": 1.6,
                    "width": 3,
                    "color": TONES[one.tone],
                }
                if measured
                else None,
                hovertemplate=f"{says if measured else f'{name}: not measured'}<extra></extra>",
                # Of each tone the first stands in the legend.
                name=said.get(one.tone, name),
                legendgroup=one.tone,
                showlegend=one.tone in told,
            )
        )
        told.discard(one.tone)
    if rule is not None:
        figure.add_vline(x.at(rule), line={"color": TONES["reference"], "width": 1, "dash": "dash"})
    names = {one.name: f"{escape(one.name, quote=False)}  <i>n = {one.n:,}</i>" for one in own}
    figures = [(one.name, one.tone, one.value, one.low, one.high, one.n) for one in own]
    figure.update_layout(
        meta={CSV: _table(("name", "of", x.title, "low", "high", "n"), figures)},
        xaxis=x.layout,
        yaxis={
            "range": [len(names) - 0.4, -0.6],
            "tickvals": list(range(len(names))),
            "ticktext": list(names.values()),
            "showgrid": False,
        },
        height=56 + 26 * len(names),
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
    )
    return figure


# Of a line's height, between figures that share it.
_APART = 0.3
CSV = "csv"
"""Under this name a figure's `layout.meta` holds its numbers, as a table to keep."""


def _rows(own: Sequence[Line]) -> Iterator[tuple[object, ...]]:
    for line in own:
        # A line without a band has no bounds.
        low, high = line.low or [""] * len(line.x), line.high or [""] * len(line.x)
        for values in zip(line.x, line.y, low, high, strict=True):
            yield line.name, *values


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    for row in rows:
        writer.writerow(map(_cell, row))
    return text.getvalue()


def _cell(value: object) -> object:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    # No more digits than a figure has: long ones look like somebody's number.
    return f"{value:.5g}" if isinstance(value, float) else value


def _trace(line: Line, x: Axis, y: Axis) -> go.Scatter:
    mode = "+".join(
        name for name, on in (("lines", line.dash is not None), ("markers", line.markers)) if on
    )
    said = line.words or [
        f"{_worded(a)}, {_worded(b)}" for a, b in zip(line.x, line.y, strict=True)
    ]
    return go.Scatter(
        x=[x.at(value) for value in line.x],
        y=[y.at(value) for value in line.y],
        mode=mode,
        name=line.name,
        line={
            "color": line.colour,
            "dash": line.dash or "solid",
            "width": 2,
            "shape": "hvh" if line.step else "linear",
        },
        marker={"color": line.colour, "size": 6, "symbol": line.symbol},
        fill="tozeroy" if line.filled else None,
        fillcolor=_pale(line.colour) if line.filled else None,
        text=said,
        customdata=line.picks,
        hovertemplate=f"{line.name}: %{{text}}<extra></extra>",
    )


def _band(line: Line, x: Axis, y: Axis) -> go.Scatter:
    low, high = list(line.low or ()), list(line.high or ())
    return go.Scatter(
        x=[x.at(value) for value in (*line.x, *reversed(line.x))],
        y=[y.at(value) for value in (*high, *reversed(low))],
        mode="lines",  # of a few points plotly would draw each
        fill="toself",
        fillcolor=_pale(line.colour),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
    )


def _pale(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},.2)"


def _worded(value: float | None) -> str:
    return "not measured" if value is None else f"{value:,.4g}"
