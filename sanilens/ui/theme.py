"""The app's look: what `.streamlit/config.toml` cannot say, in one style sheet.

Every colour of ours is a `--sl-*` property written with `light-dark()`, so that it follows
Streamlit's theme without a script; the components inherit them through their shadow roots.
"""

from pathlib import Path

import streamlit as st

_STYLE = Path(__file__).with_name("style.css")


def apply() -> None:
    """Add the style sheet to the page; call it once, before anything is drawn."""
    st.html(_STYLE)
