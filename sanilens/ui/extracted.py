"""Drawing what a model wrote: the identifiers in it marked and masked, and what has changed.

What belongs to the corpus is masked until revealed, even a surname by itself or a number with a
digit wrong, and so is all that stands in a secret's place; what else the model made up is shown.
"""

import math
import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Literal

from markupsafe import Markup

from sanilens.audit.continuations import Identifiers
from sanilens.audit.near import MOST_EDITS, Nearness, nearness
from sanilens.case import Case
from sanilens.ui.masking import SLOT, mask
from sanilens.ui.results import results

Tone = Literal["leaked", "changed", "other", "prompt"]

# Shorter beginnings of identifiers are syllables of many words.
_TELLS = 3
_WORD = re.compile(r"\S+")
_WORD_REST = re.compile(r"\w*")
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
    """Text with everything masked that belongs to an identifier of the corpus, or is near one."""
    places = [(leak.start, leak.end) for leak in known.find(text)] + known.telling(text)
    chars = list(text)
    for start, end in places:
        chars[start:end] = mask(text[start:end])
    return "".join(chars)


def written(
    text: str,
    known: Identifiers,
    *,
    before: str = "",
    goes_on: bool = False,
    slot: str = "",
    revealed: bool = False,
    differs: Sequence[tuple[int, int]] = (),
) -> Markup:
    """A continuation with the corpus's identifiers marked and, until revealed, masked.

    Until revealed also what is near an identifier, and all that stands in a secret's place.

    Args:
        text: what the model wrote.
        known: the identifiers.
        before: the prompt, since an identifier may begin at its end.
        goes_on: whether the model is still writing. Then an ending that may become an
            identifier is held back; otherwise it is masked.
        slot: the secret in whose place the text begins, if it does.
        revealed: whether the record that it goes on from is.
        differs: what is marked as changed (`changed_words`).
    """
    if slot and not revealed:
        end = slot_end(slot, text)
        if goes_on and len(text) <= end:
            return marked(SLOT, "other", "in a secret's place")
        how = begins(slot, text)
        tone: Tone = "other" if how == "different" else "leaked"
        after = [(max(0, start - end), stop - end) for start, stop in differs if stop > end]
        rest = written(
            text[end:], known, before=before + text[:end], goes_on=goes_on, differs=after
        )
        return marked(f"{SLOT} {how}", tone, f"in a secret's place: {how}") + rest
    longest = known.lengths[0] if known.lengths else 0
    lead = before[max(0, len(before) - longest) :]
    whole = lead + text
    shown, end = whole if revealed else hidden(whole, known), len(whole)
    if not revealed:
        if goes_on:
            end = max(len(lead), known.held_back(whole))
        else:
            cut = known.unfinished(whole, _TELLS)
            shown = shown[:cut] + mask(shown[cut:])
    parts: list[Markup] = []
    at = len(lead)
    changed = [(at + start, at + stop) for start, stop in differs]
    for leak in known.find(whole):
        start, stop = max(at, leak.start), min(end, leak.end)
        if start < stop:
            title = f"{leak.label} of the corpus"
            parts += _between(shown, at, start, changed), marked(shown[start:stop], "leaked", title)
            at = stop
    return Markup("").join([*parts, _between(shown, at, end, changed)])


def _between(shown: str, at: int, end: int, changed: Sequence[tuple[int, int]]) -> Markup:
    """A piece of what is shown, with what has changed in it."""
    parts: list[Markup] = []
    for start, stop in changed:
        start, stop = max(at, start), min(end, stop)
        if start < stop:
            title = "the other model has other words here"
            parts += lines(shown[at:start]), marked(shown[start:stop], "changed", title)
            at = stop
    return Markup("").join([*parts, lines(shown[at:end])])


def changed_words(text: str, other: str) -> list[tuple[int, int]]:
    """Where words of a text stand that another text does not have there."""
    places = [word.span() for word in _WORD.finditer(text)]
    own = [text[start:end] for start, end in places]
    steps = SequenceMatcher(None, own, other.split(), autojunk=False).get_opcodes()
    return [
        (places[first][0], places[last - 1][1])
        for kind, first, last, _, _ in steps
        if kind in ("replace", "delete")
    ]


def slot_end(value: str, text: str) -> int:
    """Where in a text that begins in a secret's place it is over: a word's end, past its length."""
    start = len(text) - len(text.lstrip())
    end = start + len(value) + MOST_EDITS
    return end + len(_WORD_REST.match(text, end)[0])  # pyright: ignore[reportOptionalSubscript]


def begins(value: str, text: str) -> Nearness:
    """How near to a value a text begins, whatever it goes on with."""
    text = text.lstrip()
    if text.startswith(value):
        return "same"
    lengths = range(max(1, len(value) - MOST_EDITS), len(value) + MOST_EDITS + 1)
    near = any(nearness(value, text[:length]) == "near" for length in lengths)
    return "near" if near else "different"


def marked(text: str, tone: Tone, title: str) -> Markup:
    """A piece of text in a tone; `title` says in words what the tone says in colour."""
    return _MARK.format(tone, title, lines(text))


def lines(text: str) -> Markup:
    """Text with visible line ends; empty lines take no room."""
    return Markup("{}").format(_ENDS.sub(lambda found: "↵" * len(found[0]) + "\n", text))


def signed(value: float, form: str = ".1f") -> str:
    """A number with a proper minus sign; a dash for one that was not measured."""
    return "–" if math.isnan(value) else format(value, form).replace("-", "−")
