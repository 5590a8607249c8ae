"""The browser's history: one press of *back* takes back one step of the user."""

from pathlib import Path

from streamlit.components import v2

_mount = v2.component(
    "sanilens_steps", js=Path(__file__).with_name("steps.js").read_text(encoding="utf-8")
)


def one_entry_a_step() -> None:
    """See to it in this tab; draws nothing."""
    _mount(key="sl-steps")
