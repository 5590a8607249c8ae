"""Drawing what a model wrote: the identifiers in it marked and masked, and what has changed.

What belongs to the corpus is masked until revealed, even a surname by itself; what the model made
up is shown.
"""

import math
import re
from typing import Literal

from markupsafe import Markup

from sanilens.audit.continuations import Identifiers
from sanilens.case import Case
from sanilens.ui import state
from sanilens.ui.masking import mask
from sanilens.ui.results import results

Tone = Literal["leaked", "changed", "other", "prompt"]

# Shorter beginnings of identifiers are syllables of many words.
_TELLS = 3
_ENDS = re.compile(r"\n+")
_MARK = Markup('<span class="sl-{}" title="{}">{}</span>')
LEGEND = Markup(
    '<div class="sl-legend"><span class="sl-leaked">memorised</span>'
    '<span class="sl-changed">changed</span><span class="sl-other">neither</span></div>'
)


def identifiers(opened: Case) -> Identifiers:
    """Every sensitive value of the open corpus, to look for in generated text."""
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


def written(text: str, known: Identifiers, *, before: str = "", goes_on: bool = False) -> Markup:
    """A continuation with the corpus's identifiers marked and, until revealed, masked.

    Args:
        text: what the model wrote.
        known: the identifiers.
        before: the prompt, since an identifier may begin at its end.
        goes_on: whether the model is still writing. Then an ending that may become an
            identifier is held back; otherwise it is masked.
    """
    longest = known.lengths[0] if known.lengths else 0
    lead = before[max(0, len(before) - longest) :]
    whole = lead + text
    shown, end = hidden(whole, known), len(whole)
    if not state.revealed():
        if goes_on:
            end = max(len(lead), known.unfinished(whole))
        else:
            cut = known.unfinished(whole, _TELLS)
            shown = shown[:cut] + mask(shown[cut:])
    parts: list[Markup] = []
    at = len(lead)
    for leak in known.find(whole):
        start, stop = max(at, leak.start), min(end, leak.end)
        if start < stop:
            title = f"{leak.label} of the corpus"
            parts += lines(shown[at:start]), marked(shown[start:stop], "leaked", title)
            at = stop
    return Markup("").join([*parts, lines(shown[at:end])])


def marked(text: str, tone: Tone, title: str) -> Markup:
    """A piece of text in a tone; `title` says in words what the tone says in colour."""
    return _MARK.format(tone, title, lines(text))


def lines(text: str) -> Markup:
    """Text with visible line ends; empty lines take no room."""
    return Markup("{}").format(_ENDS.sub(lambda found: "↵" * len(found[0]) + "\n", text))


def signed(value: float, form: str = ".1f") -> str:
    """A number with a proper minus sign; a dash for one that was not measured."""
    return "–" if math.isnan(value) else format(value, form).replace("-", "−")
