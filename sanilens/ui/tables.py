"""Our tables: columns, rows and bars, drawn as HTML in which every value is escaped."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st
from markupsafe import Markup

from sanilens.ui import state
from sanilens.ui.markup import show

Look = Literal["text", "aside", "mono", "number", "number aside", "bar"]
_CLASSES: dict[Look, str] = {
    "text": "",
    "aside": "sl-mute",
    "mono": "sl-word",
    "number": "n",
    "number aside": "n sl-mute",
    "bar": "sl-track",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column's head, how its cells look, and what the head says when it is pointed at.

    A column that is `spare` is left out where the window is narrow.
    """

    head: str = ""
    look: Look = "text"
    help: str = ""
    spare: bool = False

    @property
    def classes(self) -> str:
        """The classes of its head and its cells."""
        return f"{_CLASSES[self.look]} {'sl-spare' * self.spare}".strip()


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that differs from its column: by a class, a tooltip, or a fill from 0 to 1."""

    text: str
    classes: str = ""
    title: str = ""
    fill: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row in a tone of its own; `title` is its tooltip."""

    cells: Sequence[str | Cell]
    tone: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A heading across all columns, over the rows that follow."""

    title: str


def table(columns: Sequence[Column], rows: Sequence[Row | Group], kind: str = "") -> Markup:
    """The table; `kind` is a class of the style sheet for what only this one needs.

    One with more columns than fit scrolls by itself. Where no column has a head there is no line
    of heads.
    """
    heads = (
        _element("th", column.head, column.classes, scope="col", title=column.help)
        for column in columns
    )
    head = _element("thead", _element("tr", Markup("").join(heads)))
    body = _element("tbody", Markup("").join(_drawn(columns, row) for row in rows))
    parts = head + body if any(column.head for column in columns) else body
    drawn = _element("table", parts, f"sl-table sl-{kind}" if kind else "sl-table")
    return _element("div", drawn, "sl-scroll")


def show_table(columns: Sequence[Column], rows: Sequence[Row | Group], kind: str = "") -> None:
    """Draw the table."""
    show(table(columns, rows, kind))


def _drawn(columns: Sequence[Column], row: Row | Group) -> Markup:
    if isinstance(row, Group):
        head = _element("th", _element("span", row.title), colspan=str(len(columns)))
        return _element("tr", head, "sl-group-row")
    cells = [
        _cell(column, cell if isinstance(cell, Cell) else Cell(cell))
        for column, cell in zip(columns, row.cells, strict=True)
    ]
    tone = row.tone and f"sl-{row.tone}"
    return _element("tr", Markup("").join(cells), tone, title=row.title)


def _cell(column: Column, cell: Cell) -> Markup:
    classes = f"{column.classes} {cell.classes}".strip()
    fill = "" if cell.fill is None else f"--a:{100 * cell.fill:.0f}%"
    return _element("td", cell.text, classes, style=fill, title=cell.title)


def _element(tag: str, body: str, classes: str = "", **attributes: str) -> Markup:
    given = {"class": classes, **attributes}
    said = (Markup(' {}="{}"').format(name, value) for name, value in given.items() if value)
    return Markup("<{}{}>{}</{}>").format(tag, Markup("").join(said), body, tag)


def rows_high(count: int) -> int:
    """The height of `st.dataframe` with so many rows, in pixels: its head and lines, no strip."""
    return 2 + _LINE * (count + 1)


# Streamlit's 2.1875 rem, with the theme's base of 14 pixels.
_LINE = 31


def tick_clicked(key: str) -> None:
    """Let a click anywhere in a row tick it, as its box does; call it before `st.dataframe`.

    The table of that key must allow the selection of single cells too. Of several rows that can be
    ticked, the one clicked is then the only one.
    """
    found: Any = st.session_state.get(key) or {}
    cells = found.get("selection", {}).get("cells", [])
    # Heard of without a click too, so that the same place can be clicked again later.
    if state.is_new(f"{key}:cell", tuple(cells[0]) if cells else None) and cells:
        rows = [int(cells[0][0])]
        st.session_state[key] = {"selection": {"rows": rows, "columns": [], "cells": []}}


def bar(
    share: float | None,
    alt: str,
    *,
    interval: tuple[float, float] | None = None,
    tick: float | None = None,
    before: float | None = None,
) -> Markup:
    """A bar of a share from 0 to 1, which `alt` puts into words.

    `interval` is a thin line, `tick` a dark mark, `before` a pale bar behind it.
    """
    parts = []
    if before is not None:
        parts.append(_element("b", "", "sl-was", style=f"width:{100 * before:.2f}%"))
    parts.append(_element("b", "", style=f"width:{100 * (share or 0):.2f}%"))
    if interval is not None:
        low, high = interval
        parts.append(
            _element("i", "", style=f"left:{100 * low:.2f}%;width:{100 * (high - low):.2f}%")
        )
    if tick is not None:
        parts.append(_element("u", "", style=f"left:{100 * tick:.2f}%"))
    attributes = {"role": "img", "aria-label": alt}
    return _element("div", Markup("").join(parts), "sl-bar", **attributes)


def percent(rate: float | None) -> str:
    """`12.3 %`; a dash where nothing was asked."""
    return "–" if rate is None else f"{100 * rate:.1f} %"


def bounds(low: float | None, high: float | None) -> str:
    """`[11.2, 13.5]`, in percent."""
    if low is None or high is None:
        return "not measured"
    return f"[{100 * low:.1f}, {100 * high:.1f}]"
