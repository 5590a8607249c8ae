"""The one door through which the app draws HTML of its own.

It takes `Markup` only: `Markup("<b>{}</b>").format(value)` escapes every value, so text of a
corpus or a model cannot become a tag.
"""

import re

import streamlit as st
from markupsafe import Markup

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~:$&])")


def plain(text: str) -> str:
    """Any text as Markdown that shows exactly that text: no link, image, tag or emphasis."""
    return _MARKDOWN.sub(r"\\\1", text)


def show(html: Markup) -> None:
    """Draw trusted HTML whose values were escaped by `Markup.format`.

    Raises:
        TypeError: for a plain string, which nobody has escaped.
    """
    if not isinstance(html, Markup):
        raise TypeError("show() takes Markup; build it with Markup(template).format(values)")
    st.html(html)
