"""Case: the model, the text that it learned, and what must not be said."""

from sanilens.ui.layout import empty_state, next_step, page_header


def page() -> None:
    """Draw the page."""
    page_header("Case", "The model, the text that it learned, and what must not be said.")
    empty_state("No case is open yet. A case is a model folder and the corpus it was trained on.")
    next_step("Then see how much of it the model says.", "audit")
