"""Audit: how much of the sensitive text the model says by itself."""

from sanilens.ui.layout import empty_state, page_header


def page() -> None:
    """Draw the page."""
    page_header("Audit", "How much of the sensitive text the model says by itself.")
    empty_state("Nothing to audit yet: open a case first.", "Open a case", "case")
