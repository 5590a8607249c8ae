"""What the model is shown for each span: its prefix, whole or cut to the last k tokens."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import regex

from sanilens.corpus.records import Record
from sanilens.model.align import Encoded, TokenSpan, decoded, encode
from sanilens.model.language_model import LanguageModel


@dataclass(frozen=True, slots=True)
class Target:
    """A span inside a passage: positions [start, end) of the passage's ids.

    `context` is the text that stands in the passage before the span.
    """

    span: TokenSpan
    start: int
    end: int
    context: str


@dataclass(frozen=True, slots=True)
class Passage:
    """Token ids for one row of a batch, and the spans to be judged in it.

    `first`: the token of the record that follows what opens it.
    """

    encoded: Encoded
    ids: tuple[int, ...]
    targets: tuple[Target, ...]
    first: int

    @property
    def places(self) -> list[int]:
        """Each token's position in the record."""
        opening = self.encoded.opening
        return [*range(opening), *range(self.first, self.first + len(self.ids) - opening)]

    def before(self, target: Target, most: int) -> tuple[int, ...]:
        """Up to `most` tokens before a span: what opens the text, and the last of the rest."""
        opening = self.encoded.opening
        first = max(opening, target.start - max(0, most - opening))
        return (*self.ids[:opening], *self.ids[first : target.start])

    @property
    def record(self) -> Record:
        """The record that the passage is cut from."""
        return self.encoded.record


def make_passages(
    model: LanguageModel, records: Iterable[Record], prefix_tokens: int | None = None
) -> Iterator[Passage]:
    """Cut records into passages that fit the model.

    With the whole prefix, one passage holds all spans of a record: under teacher forcing each is
    judged given everything before it. A record longer than the model's context becomes several
    passages that overlap by half. With `prefix_tokens`, each span is a passage of its own.
    """
    for record in records:
        encoded = encode(model, record)
        size = max(1, model.max_tokens - encoded.opening)
        if prefix_tokens is None:
            yield from _windows(encoded, size)
        else:
            for span in encoded.spans:
                first = max(0, span.start - prefix_tokens, span.end - size)
                yield _cut(encoded, first, span.end, (span,))


def _windows(encoded: Encoded, size: int) -> Iterator[Passage]:
    """Windows of `size` tokens of the text, each after what opens it."""
    length = len(encoded.ids)
    left = list(encoded.spans)
    start = encoded.opening
    while left:
        # The earliest window that holds a span whole gives it the longest prefix.
        inside = [s for s in left if s.end <= start + size]
        left = left[len(inside) :]
        if inside:
            yield _cut(encoded, start, min(start + size, length, inside[-1].end), tuple(inside))
        if left:
            start = max(start + size // 2, left[0].end - size)


def _cut(encoded: Encoded, first: int, end: int, spans: tuple[TokenSpan, ...]) -> Passage:
    opening = encoded.opening
    first = max(first, opening)
    text_start = encoded.offsets[first][0] if first > opening else 0
    moved = first - opening
    targets = tuple(
        Target(
            span,
            # A span longer than the window loses its beginning, never its place.
            max(span.start - moved, opening),
            span.end - moved,
            encoded.record.text[text_start : max(text_start, span.span.start)],
        )
        for span in spans
    )
    return Passage(encoded, encoded.window(first, end), targets, first)


# Blanks, and the sign that SentencePiece has for one.
_BLANK = regex.compile(r"[\s▁]+")


def can_write(model: LanguageModel, encoded: Encoded, span: TokenSpan) -> bool:
    """Whether the span's tokens hold all of its text."""
    ids = list(encoded.ids[span.start : span.end])
    if model.tokenizer.unk_token_id in ids:
        return False
    backend = model.tokenizer.backend_tokenizer  # pyright: ignore[reportAttributeAccessIssue]
    if backend.decoder is None:  # tokens without a way back: nothing to compare
        return True
    value = encoded.record.value(span.span)
    written = decoded(model, ids)
    return any(_plain(one) in _plain(written) for one in (value, _normalised(backend, value)))


def _normalised(backend: Any, text: str) -> str:
    return text if backend.normalizer is None else str(backend.normalizer.normalize_str(text))


def _plain(text: str) -> str:
    return _BLANK.sub("", text)
