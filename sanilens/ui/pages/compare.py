"""Compare: before and after, beside the controls and a model that never saw the text."""

from sanilens.ui.layout import empty_state, page_header


def page() -> None:
    """Draw the page."""
    page_header(
        "Compare", "Before and after, beside the controls and a model that never saw the text."
    )
    empty_state("Nothing to compare yet: execute a plan first.", "Go to Run", "run")
