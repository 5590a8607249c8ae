"""What attacks found: an overview beside the reference, and a card for each with its curves."""

from collections.abc import Iterable, Mapping

import streamlit as st

from sanilens.audit.attacks import ATTACKS
from sanilens.audit.attacks.result import AttackResult, Figure, Series, beside, beside_person, held
from sanilens.charts import COLOURS, TONES, Dash, Line, axis_of, lines
from sanilens.runs.attacking import STATE_TITLES, STATES, Attacked, State
from sanilens.ui.charts import draw
from sanilens.ui.layout import card
from sanilens.ui.markup import plain
from sanilens.ui.tables import Cell, Column, Group, Row, bounds, percent, show_table

_LOOKS: Mapping[State, tuple[str, Dash]] = {
    "after": (TONES["plan"], "solid"),
    "reference": (TONES["reference"], "dash"),
    "before": (TONES["leak"], "dot"),
    "base": (COLOURS[2], "longdash"),
}
_HEIGHT = 210
_MOST_ROWS = 200


def overview(found: Mapping[str, Attacked]) -> None:
    """Every attack's first figure on every model, and the worst person on the result."""
    states = shown_states(found.values())
    columns = [
        Column("attack"),
        Column("counted", "aside", spare=True),
        Column(
            "against the reference",
            help="within: inside the reference's own 95 % interval; then, how many of the "
            "attack's other figures are not",
        ),
        *(Column(STATE_TITLES[state], "number") for state in states),
        Column("95 %, after", "number aside"),
        Column(
            "worst person", "number aside", "of whom most is got, and the reference's", spare=True
        ),
    ]
    rows: list[Row | Group] = []
    for name, attacked in found.items():
        after = attacked.on("after")
        first = headline(attacked)
        if first is None:
            why = after.not_measured if after and after.not_measured else "Not measured yet."
            blank = ["–"] * len(states)
            short = "not applicable" if why.startswith("Not applicable") else "not measured"
            rows.append(Row((ATTACKS[name].title, "", short, *blank, "–", ""), title=why))
            continue
        own = after.figure(first) if after else None
        worst = _worst(after, attacked.on("reference"))
        cells = [Cell(value(figure_of(attacked, state, first))) for state in states]
        where = _where(first, after, attacked.on("reference"))
        title = own.title if own else first
        ends = (between(own), worst)
        line = (ATTACKS[name].title, title, where, *cells, *ends)
        rows.append(Row(line, title=ATTACKS[name].meaning))
    show_table(columns, rows, "attacks")


def _where(first: str, after: AttackResult | None, reference: AttackResult | None) -> Cell:
    """Where the first figure lies, and how many of the others are outside the reference's."""
    if after is None or reference is None:
        return Cell("–")
    words = beside(after.figure(first), reference.figure(first)) or "–"
    found = held(after, reference)
    others = sum(lies != "within" for name, lies in found.items() if name != first)
    if others:
        words += f", {others} other{'s' * (others != 1)} outside"
    return Cell(words, classes="sl-alert" if found.get(first) == "above" else "")


def _worst(after: AttackResult | None, reference: AttackResult | None) -> Cell:
    """The worst person's hits beside the reference's worst; in red where that is more."""
    if after is None or after.worst is None:
        return Cell("")
    words = f"{after.worst.hits} / {after.worst.n}"
    worst = reference.worst if reference else None
    if worst:
        words += f" ({worst.hits} / {worst.n})"
    outside = beside_person(after.worst, worst) == "above"
    return Cell(words, classes="sl-alert" if outside else "")


def attack_card(name: str, attacked: Attacked) -> None:
    """An attack's figures, curves and tables, on every model that it was tried on."""
    states = shown_states([attacked])
    seconds = sum(result.seconds for result in attacked.results.values())
    with card(ATTACKS[name].title, f"{seconds:,.0f} s on {len(states)} models"):
        st.caption(ATTACKS[name].meaning)
        why: dict[str, list[str]] = {}
        for state in states:
            if reason := attacked.results[state].not_measured:
                why.setdefault(reason, []).append(STATE_TITLES[state])
        for reason, which in why.items():
            st.caption(f"{', '.join(which)}: {reason}")
        _figures(attacked, states)
        _curves(name, attacked, states)
        for note in dict.fromkeys(n for r in attacked.results.values() for n in r.notes):
            st.caption(note)
        after = attacked.on("after") or next(iter(attacked.results.values()))
        if after.settings:
            said = ", ".join(f"{key} {_setting(own)}" for key, own in after.settings.items())
            st.caption(plain(f"Settings: {said}."))
        _tables(name, attacked)


def shown_states(found: Iterable[Attacked]) -> list[State]:
    """The models that any attack was tried on, in their order."""
    there = {state for attacked in found for state in attacked.results}
    return [state for state in STATES if state in there]


def headline(attacked: Attacked) -> str | None:
    """The name of the figure that stands for the attack."""
    results = [attacked.results[state] for state in STATES if state in attacked.results]
    return next((r.headline.name for r in results if r.headline), None)


def figure_of(attacked: Attacked, state: State, name: str) -> Figure | None:
    """A figure on a model; None where it has none."""
    result = attacked.on(state)
    return result.figure(name) if result else None


def value(figure: Figure | None) -> str:
    """A figure in its unit; a dash where it was not measured."""
    if figure is None or figure.value is None:
        return "–"
    match figure.unit:
        case "share":
            return percent(figure.value)
        case "percent":
            return f"{figure.value:+.1f} %"
        case _:
            return f"{figure.value:.3f}"


def between(figure: Figure | None) -> str:
    """Its interval; `not measured` where it has no figure."""
    if figure is None or figure.value is None:
        return "not measured"
    if figure.low is None or figure.high is None:
        return "–"
    if figure.unit == "share":
        return bounds(figure.low, figure.high)
    return f"[{figure.low:.2f}, {figure.high:.2f}]"


def _setting(value: str | bool | float) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _figures(attacked: Attacked, states: list[State]) -> None:
    names = {f.name: f for state in states for f in attacked.results[state].figures}
    if not names:
        return
    columns = [Column("figure")]
    for state in states:
        columns += [
            Column(STATE_TITLES[state], "number"),
            Column("95 %", "number aside", spare=state not in ("after", "reference")),
        ]
    columns.append(Column("n", "number aside"))
    rows: list[Row | Group] = []
    for name, figure in names.items():
        cells: list[str] = []
        for state in states:
            own = figure_of(attacked, state, name)
            cells += [value(own), between(own) if own else "–"]
        rows.append(Row((figure.title, *cells, f"{figure.n:,}"), title=figure.note))
    show_table(columns, rows, "attack")


def _curves(name: str, attacked: Attacked, states: list[State]) -> None:
    by_name: dict[str, dict[State, Series]] = {}
    for state in states:
        for series in attacked.results[state].series:
            by_name.setdefault(series.name, {})[state] = series
    if not by_name:
        return
    chosen = list(by_name)
    if len(chosen) > 2:
        picked = st.segmented_control(
            "Curve", chosen, default=chosen[0], required=True, key=f"curve-{name}",
            label_visibility="collapsed",
        )  # fmt: skip
        chosen = [str(picked)]
    for column, curve in zip(st.columns(len(chosen), gap="small"), chosen, strict=True):
        with column:
            _curve(f"attack-{name}-{curve}", curve, by_name[curve])


def _curve(key: str, name: str, own: Mapping[State, Series]) -> None:
    first = next(iter(own.values()))
    drawn: list[Line] = []
    for state, series in own.items():
        colour, dash = _LOOKS[state]
        points = [p for p in series.points if p.y is not None]
        whole = all(p.low is not None and p.high is not None for p in points)
        drawn.append(
            Line(
                STATE_TITLES[state], [p.x for p in points], [p.y for p in points], colour, dash,
                low=[p.low or 0.0 for p in points] if whole and points else None,
                high=[p.high or 0.0 for p in points] if whole and points else None,
            )
        )  # fmt: skip
    points = [point for series in own.values() for point in series.points]
    x = axis_of(first.x_label, [p.x for p in points], log=first.log_x)
    highest = [p.high if p.high is not None else p.y for p in points if p.y is not None]
    y = axis_of(first.y_label, highest, share=first.unit == "share")
    said = "; ".join(
        f"{line.name} from {line.y[0]:.3g} to {line.y[-1]:.3g}"
        for line in drawn
        if line.y and line.y[0] is not None and line.y[-1] is not None
    )
    st.caption(name[0].upper() + name[1:])
    draw(lines(drawn, x, y, legend=True), key, f"{name} by {first.x_label}: {said}.", _HEIGHT)


def _tables(name: str, attacked: Attacked) -> None:
    result = attacked.on("after") or next(iter(attacked.results.values()))
    for table in result.tables:
        with st.expander(f"{table.title[0].upper()}{table.title[1:]}"):
            units = table.units or (None,) * len(table.columns)
            columns = [Column(head) for head in table.columns]
            rows: list[Row | Group] = [
                Row([_cell(cell, unit) for cell, unit in zip(row, units, strict=True)])
                for row in table.rows[:_MOST_ROWS]
            ]
            show_table(columns, rows, "attack-rows")
            if len(table.rows) > _MOST_ROWS:
                st.caption(f"The first {_MOST_ROWS} of {len(table.rows):,} rows; all in the file.")
    st.download_button(
        "Download the file", attacked.model_dump_json(indent=1), f"{name}.json",
        "application/json", key=f"download-{name}", on_click="ignore",
    )  # fmt: skip


def _cell(cell: str | int | float | None, unit: str | None) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, float):
        return percent(cell) if unit == "share" else f"{cell:.3g}"
    return str(cell)
