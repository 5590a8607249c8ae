"""Headings inside the unit's card."""

from markupsafe import Markup

from sanilens.ui.markup import show

_SECTION = Markup('<h4 class="sl-section">{} <span>{}</span></h4>')


def section(title: str, note: str) -> None:
    """A small heading; `note` stands beside it in grey."""
    show(_SECTION.format(title, note))
