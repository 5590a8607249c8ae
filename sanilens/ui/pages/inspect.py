"""Inspect: which units carry a span, and what each of them does."""

from sanilens.ui.layout import empty_state, page_header


def page() -> None:
    """Draw the page."""
    page_header("Inspect", "Which units carry a span, and what each of them does.")
    empty_state(
        "Nothing to inspect yet: audit a case first, then choose a note.", "Go to Audit", "audit"
    )
