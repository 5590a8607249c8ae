"""Drawing a chart on a page: in the page's colours, with words for those who do not see it."""

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from sanilens.charts import CSV
from sanilens.ui import state
from sanilens.ui.components import chart_files

_CONFIG: dict[str, Any] = {
    "displaylogo": False,
    # Zooming is by dragging and double click.
    "modeBarButtonsToRemove": ["zoom", "pan", "select", "lasso", "zoomIn", "zoomOut", "autoScale",
                               "resetScale"],
}  # fmt: skip


def draw(figure: go.Figure, key: str, alt: str, height: int, *, picks: bool = False) -> str | None:
    """Draw a figure at a height in pixels; `alt` says in words what it shows.

    Its picture can be kept as SVG or PNG and its numbers as CSV, under `key` as their name.

    Returns:
        with `picks`, what the point stands for that was clicked just now; else None.
    """
    config = {**_CONFIG, "toImageButtonOptions": {"format": "svg", "filename": key}}
    event: Any = None
    with st.container(gap=None):
        if picks:
            event = st.plotly_chart(
                figure, height=height, key=key, alt=alt, config=config, on_select="rerun",
                selection_mode="points",
            )  # fmt: skip
        else:
            st.plotly_chart(figure, height=height, key=key, alt=alt, config=config)
        layout: Any = figure.layout
        chart_files(key, (layout.meta or {}).get(CSV, ""))
    return _picked(key, event) if picks else None


def _picked(key: str, event: Any) -> str | None:
    points = event["selection"]["points"] if event else []
    found = points[0].get("customdata") if points else None
    name = found[0] if isinstance(found, list) and found else found
    pick = name if isinstance(name, str) and name else None
    return pick if state.is_new(f"{key}:point", pick) else None
