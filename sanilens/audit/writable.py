"""Can the tokenizer write a value at all? What it cannot write, no model with it can say.

A vocabulary without bytes puts an unknown token, or nothing, in the place of a character, and all
values that differ there become one. The tokens of a span must therefore give its text back, as
the tokenizer's own normaliser writes it: without case where it has none, blanks apart.
"""

from typing import Any

import regex

from sanilens.model.align import Encoded, TokenSpan, decoded
from sanilens.model.subject import SubjectModel

# Blanks, and the sign that SentencePiece has for one.
_BLANK = regex.compile(r"[\s▁]+")


def can_write(subject: SubjectModel, encoded: Encoded, span: TokenSpan) -> bool:
    """Whether the span's tokens hold all of its text."""
    ids = list(encoded.ids[span.start : span.end])
    if subject.tokenizer.unk_token_id in ids:
        return False
    backend = subject.tokenizer.backend_tokenizer  # pyright: ignore[reportAttributeAccessIssue]
    if backend.decoder is None:  # tokens without a way back: nothing to compare
        return True
    value = encoded.record.value(span.span)
    written = decoded(subject, ids)
    return any(_plain(one) in _plain(written) for one in (value, _normalised(backend, value)))


def _normalised(backend: Any, text: str) -> str:
    return text if backend.normalizer is None else str(backend.normalizer.normalize_str(text))


def _plain(text: str) -> str:
    return _BLANK.sub("", text)
