"""Plan: what is erased, how the model is repaired, and how that is measured."""

from sanilens.ui.layout import empty_state, page_header


def page() -> None:
    """Draw the page."""
    page_header("Plan", "What is erased, how the model is repaired, and how that is measured.")
    empty_state("The plan is empty: choose units on Inspect.", "Go to Inspect", "inspect")
