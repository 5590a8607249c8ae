"""Run: execute a plan; a reload or a closed browser loses nothing."""

from sanilens.ui.layout import empty_state, page_header


def page() -> None:
    """Draw the page."""
    page_header("Run", "Execute a plan; a reload or a closed browser loses nothing.")
    empty_state("No run yet: write a plan first.", "Go to Plan", "plan")
