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


def draw(figure: go.Figure, key: str, alt: str, height: int) -> None:
    """Draw a figure at a height in pixels; `alt` says in words what it shows.

    Its picture can be kept as SVG, under `key` as its name.
    """
    config = {**_CONFIG, "toImageButtonOptions": {"format": "svg", "filename": key}}
    st.plotly_chart(figure, height=height, key=key, alt=alt, config=config)
