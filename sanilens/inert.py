"""Text from outside on a terminal or a page: what would steer them is shown, not obeyed.

An id may hold an escape sequence that rewrites the terminal, or a mark that turns the rest of the
line around. Letters of every script pass, and the joiners that some of them need.
"""

import re

# Controls other than tab and line end, marks of direction, line separators, lone surrogates.
_STEERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def inert(text: str) -> str:
    """The text with a ◌ in the place of every character that would steer what shows it.

    >>> inert("id \\x1b[2J")
    'id ◌[2J'
    """
    return _STEERS.sub("◌", text)


def inert_json(text: str) -> str:
    """JSON that says the same with those characters escaped: whoever parses it gets them back."""
    return _STEERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
