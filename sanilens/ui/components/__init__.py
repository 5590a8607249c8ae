"""The app's own components: what no widget of Streamlit draws.

Text of a corpus or a model reaches a component as data only and is set with `textContent`;
the HTML, CSS and JavaScript are the files beside each module.
"""

from sanilens.ui.components.chart_files import chart_files
from sanilens.ui.components.copy_button import copy_button
from sanilens.ui.components.picking import picked
from sanilens.ui.components.text_marker import pieces_of, text_marker
from sanilens.ui.components.token_strip import StripToken, token_strip
from sanilens.ui.components.unit_grid import GridRow, bin_scores, folded_rows, grid_rows, unit_grid

__all__ = [
    "GridRow",
    "StripToken",
    "bin_scores",
    "chart_files",
    "copy_button",
    "folded_rows",
    "grid_rows",
    "picked",
    "pieces_of",
    "text_marker",
    "token_strip",
    "unit_grid",
]
