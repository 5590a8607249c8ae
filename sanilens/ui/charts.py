"""Drawing a chart on a page: in the page's colours, with words for those who do not see it."""

from typing import Any

import plotly.graph_objects as go
import streamlit as st

_CONFIG: dict[str, Any] = {
    "displaylogo": False,
    # Zooming is by dragging and double click; what stays of the bar is the picture to keep.
    "modeBarButtonsToRemove": ["zoom", "pan", "select", "lasso", "zoomIn", "zoomOut", "autoScale",
                               "resetScale"],
}  # fmt: skip


def draw(figure: go.Figure, name: str, alt: str, height: int, *, keyed: bool = True) -> None:
    """Draw a figure at a height in pixels; `alt` says in words what it shows.

    `name` is of the SVG that one can keep, and the element's key: unless it is drawn more than
    once in a run of the page.
    """
    config = {**_CONFIG, "toImageButtonOptions": {"format": "svg", "filename": name}}
    key = name if keyed else None
    st.plotly_chart(figure, height=height, key=key, alt=alt, config=config)
