"""The links under a chart that keep it: its picture as SVG or PNG, its numbers as CSV.

The browser makes the files from what it has drawn, with plotly's own means; nothing is asked of the
server.
"""

from sanilens.ui.components.picking import component

_HTML = """
<div class="root">
  <div class="files"></div>
  <div class="tip" role="tooltip" popover="manual"></div>
</div>
"""
_mount = component("chart_files", _HTML)


def chart_files(chart: str, csv: str) -> None:
    """Draw the links for the chart of that key; without `csv` there is none for its numbers."""
    _mount(key=f"{chart}-files", data={"chart": chart, "csv": csv})
