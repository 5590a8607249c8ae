"""The little grammar of sentence forms, and the builder that turns forms into text and spans.

The forms are data: TOML files beside each case, one form a line, in named pools.

A form is English with slots in braces:

- `{NAME}`, capitals: a sensitive value of the subject; what it writes becomes a span.
- `{2..9}`, `{36.1..38.4}`: a random number, with the decimals shown.
- `{left|right}`: one of the words, at random.
- `{drug}`, `{he}`: a word of the text or the subject, the same throughout the text.

Spans are exact by construction: a value's offsets are noted while it is written.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from sanilens.corpus.records import KIND_OF_LABEL, Span

# What a slot of several spellings is labelled; any other identifier slot is its own label.
LABEL_OF_SLOT: Mapping[str, str] = {
    "SURNAME": "NAME",
    "FIRST": "NAME",
    "LAST_FIRST": "NAME",
    "CONTRACT_PRICE": "PRICE",
    "UNIT_PRICE": "PRICE",
}

Pools = Mapping[str, tuple[str, ...]]
"""Forms, or words, by what they are for."""

_SLOT = re.compile(r"\{([^{}]+)\}")
_WORD = re.compile(r"[^\W\d_]{3,}")


def read_table(path: Path) -> dict[str, Any]:
    """A case's data; its lists keep their order, by which a seed draws."""
    return tomllib.loads(path.read_text("utf-8"))


def read_pools(path: Path) -> Pools:
    """The pools of a file of sentence forms."""
    return {name: tuple(forms) for name, forms in read_table(path).items()}


@dataclass(frozen=True, slots=True)
class Identifier:
    """A slot that writes a span."""

    slot: str
    label: str


@dataclass(frozen=True, slots=True)
class Number:
    """A slot that writes a number from `low` to `high`, in units of the last decimal."""

    low: int
    high: int
    decimals: int


@dataclass(frozen=True, slots=True)
class Choice:
    """A slot that writes one of its words."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Word:
    """A slot that writes a word fixed for the note."""

    name: str


Part = str | Identifier | Number | Choice | Word


def _slot(text: str) -> Part:
    if text.isupper():
        return Identifier(text, LABEL_OF_SLOT.get(text, text))
    if "|" in text:
        return Choice(tuple(text.split("|")))
    if ".." in text:
        low, high = text.split("..")
        decimals = len(low.partition(".")[2])
        return Number(int(low.replace(".", "")), int(high.replace(".", "")), decimals)
    return Word(text)


@cache
def parts(form: str) -> tuple[Part, ...]:
    """A form taken apart: literals and slots in order.

    >>> parts("{he} slept {4..8} hours.")
    (Word(name='he'), ' slept ', Number(low=4, high=8, decimals=0), ' hours.')
    """
    pieces = _SLOT.split(form)  # literal, slot, literal, slot, …, literal
    read = (_slot(piece) if odd % 2 else piece for odd, piece in enumerate(pieces))
    return tuple(part for part in read if part)


def identifiers(form: str) -> tuple[str, ...]:
    """The labels of the spans that a form writes, in order."""
    return tuple(part.label for part in parts(form) if isinstance(part, Identifier))


def words_of(forms: Iterable[str]) -> frozenset[str]:
    """All words of three letters or more that the forms can write outside spans, lower case."""
    found: set[str] = set()
    for form in forms:
        for part in parts(form):
            texts = part.words if isinstance(part, Choice) else (part,)
            for text in texts:
                if isinstance(text, str):
                    found.update(word.lower() for word in _WORD.findall(text))
    return frozenset(found)


@dataclass(slots=True)
class Draft:
    """A text that grows form by form, with the spans written so far."""

    rng: Random
    values: Mapping[str, str]  # of identifier slots
    words: Mapping[str, str]  # of word slots
    spans: list[Span] = field(default_factory=list)
    _pieces: list[str] = field(default_factory=list)
    _length: int = 0

    def say(self, form: str, before: str = "", sentence: bool = True) -> None:
        """Append `before` and a form, which begins with a capital where it is a `sentence`."""
        self._write(before)
        start = sentence
        for part in parts(form):
            match part:
                case str():
                    text = part
                case Identifier(slot, label):
                    text = self.values[slot]
                    end = self._length + len(text)
                    self.spans.append(Span(self._length, end, label, KIND_OF_LABEL[label]))
                case Number(low, high, decimals):
                    number = int(low + self.rng.random() * (high - low + 1))
                    text = f"{number / 10**decimals:.{decimals}f}" if decimals else str(number)
                case Choice(words):
                    text = words[int(self.rng.random() * len(words))]
                case Word(name):
                    text = self.words[name]
            if start and not isinstance(part, Identifier):
                text = text[0].upper() + text[1:]
            self._write(text)
            start = False

    @property
    def text(self) -> str:
        """What was written."""
        return "".join(self._pieces)

    def _write(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text)


def fill(form: str, rng: Random, words: Mapping[str, str]) -> str:
    """A form without identifiers as the text of a phrase."""
    draft = Draft(rng, {}, words)
    draft.say(form, sentence=False)
    return draft.text
