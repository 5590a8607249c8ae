"""The two doors through which text of a corpus, a model or a file comes onto a page.

Streamlit reads labels, captions and messages as Markdown: there, `plain` makes of any text
Markdown that shows that text. HTML of our own is drawn by `show`, which takes `Markup` only:
`Markup("<b>{}</b>").format(value)` escapes every value, so text cannot become a tag.
"""

import re

import streamlit as st
from markupsafe import Markup

from sanilens.inert import inert

# A full stop only where it could number a list: figures stay readable.
_MARKDOWN = re.compile(r"""([\\`*_{}\[\]()<>#+\-!|~=$&^"']|(?<=\d)\.(?=\s|$))""")
# A backslash is gone once Markdown is parsed. What Streamlit looks for afterwards, in the text
# itself (links, addresses, icons, emoji, arrows), is cut in two by a span that has no style.
_LOOKED_FOR = re.compile(r":|@|(?<=www)\.|(?<=[-<>~])[->=]", re.IGNORECASE)
# At a line's beginning blanks make a block of code, and an empty line ends a paragraph.
_LAYOUT = re.compile(r"^[ \t]+|\n")


def plain(text: str) -> str:
    """Any text as Markdown that shows exactly that text: no link, image, icon, tag or emphasis.

    Characters that would steer the browser, such as marks of direction, are shown as ◌.
    """
    parts: list[str] = []
    end = 0
    seen = inert(text)
    for found in _LOOKED_FOR.finditer(seen):
        parts += _escaped(seen[end : found.start()]), rf":color[\{found[0]}]"
        end = found.end()
    whole = "".join([*parts, _escaped(seen[end:])])
    return _LAYOUT.sub(lambda found: "".join(f"&#{ord(char)};" for char in found[0]), whole)


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


def show(html: Markup) -> None:
    """Draw trusted HTML whose values were escaped by `Markup.format`.

    Raises:
        TypeError: for a plain string, which was not escaped.
    """
    if not isinstance(html, Markup):
        raise TypeError("show() takes Markup; build it with Markup(template).format(values)")
    st.html(html)
