"""Text that a model wrote, drawn: whose identifiers stand in it, and what has changed.

What belongs to the corpus is masked until revealed, a surname without its first name too; what
the model made up is shown.
"""

import re
from typing import Literal

from markupsafe import Markup

from sanilens.audit.leaks import Identifiers
from sanilens.ui import state
from sanilens.ui.masking import mask
from sanilens.ui.opened import Opened
from sanilens.ui.results import results

Tone = Literal["leaked", "changed", "other", "prompt"]

_ENDS = re.compile(r"\n+")
_MARK = Markup('<span class="sl-{}" title="{}">{}</span>')
LEGEND = Markup(
    '<div class="sl-legend"><span class="sl-leaked">memorised</span>'
    '<span class="sl-changed">changed</span><span class="sl-other">neither</span></div>'
)


def identifiers(opened: Opened) -> Identifiers:
    """Every sensitive value of the open corpus, to be looked for in generated text."""
    records = opened.corpus.records
    return results().get(("identifiers", opened.key), lambda: Identifiers.of(records))


def hidden(text: str, known: Identifiers) -> str:
    """Generated text with everything masked that belongs to an identifier of the corpus."""
    if state.revealed():
        return text
    places = [(leak.start, leak.end) for leak in known.find(text)] + known.telling(text)
    chars = list(text)
    for start, end in places:
        chars[start:end] = mask(text[start:end])
    return "".join(chars)


def written(text: str, known: Identifiers) -> Markup:
    """A continuation: identifiers of the corpus marked as leaked and, until revealed, masked."""
    shown = hidden(text, known)
    parts: list[Markup] = []
    end = 0
    for leak in known.find(text):
        parts.append(lines(shown[end : leak.start]))
        title = f"{leak.label} of the corpus"
        parts.append(marked(shown[leak.start : leak.end], "leaked", title))
        end = leak.end
    return Markup("").join([*parts, lines(shown[end:])])


def marked(text: str, tone: Tone, title: str) -> Markup:
    """One piece of text in a tone; `title` says in words what the tone says in colour."""
    return _MARK.format(tone, title, lines(text))


def lines(text: str) -> Markup:
    """Text whose line ends can be seen; empty lines take no room."""
    return Markup("{}").format(_ENDS.sub(lambda found: "↵" * len(found[0]) + "\n", text))


def signed(value: float, form: str = ".1f") -> str:
    """A number with a minus sign that is one."""
    return format(value, form).replace("-", "−")
