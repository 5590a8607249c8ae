"""What is to be forgotten, as tokens: spans of a label or subject, or what an expression matches.

And the control text that it is compared with:

    others   tokens of the same labels that are not of the topic: other subjects' values
    twins    the topic's own records with its values swapped for surrogates: minimal pairs
    rest     all other tokens of the records that hold the topic

A token of the topic counts at its own position and at the one before, where it is predicted: that
is where memory acts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import regex
from jaxtyping import Bool

from sanilens.audit.targets import Scope
from sanilens.corpus.records import Record, has_free_text
from sanilens.corpus.surrogates.substitute import substitute
from sanilens.dictionaries.codebook.code_use import CodeUse, read_codes
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.errors import PlanError
from sanilens.model.align import Encoded
from sanilens.model.language_model import LanguageModel

Against = Literal["others", "twins", "rest"]
AGAINST: tuple[Against, ...] = get_args(Against)

Tokens = Bool[np.ndarray, " token"]
# Of one record: a user's expression must not hang a page, whatever it is.
_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Topic:
    """Spans in scope or, if there is a `pattern`, whatever it matches in the text."""

    scope: Scope = field(default_factory=Scope)
    pattern: str = ""

    @property
    def usual_control(self) -> Against:
        """Other subjects' values for a subject's; else all other tokens."""
        return "others" if self.scope.subjects and not self.pattern else "rest"

    def tokens(self, use: CodeUse) -> Tokens:
        """Which tokens are the topic's.

        Raises:
            PlanError: if the expression is none, or takes too long.
        """
        return _as_read(use, [_marked(e, self.places(e)) for e in use.encoded])

    def places(self, encoded: Encoded) -> list[tuple[int, int]]:
        """Where it stands in a record, as token positions [start, end).

        Raises:
            PlanError: if the expression is none, or takes too long.
        """
        if self.pattern:
            return _matches(_compiled(self.pattern), encoded)
        return _spans(self.scope, encoded)


@dataclass(frozen=True, slots=True)
class Held:
    """A topic's tokens and the control tokens; `pairs`: the records are twins."""

    use: CodeUse
    topic: Tokens
    control_use: CodeUse
    control: Tokens
    pairs: bool


def hold(
    model: LanguageModel,
    codebook: Codebook,
    use: CodeUse,
    topic: Topic,
    against: Against,
    *,
    seed: int = 0,
) -> Held:
    """Find the topic in what was read, and its control text.

    Args:
        model: the examined model, asked only for twins.
        codebook: the codebook that `use` was read with.
        use: codes of the corpus.
        topic: what is to be forgotten.
        against: the control, see the module.
        seed: of the surrogates.

    Raises:
        PlanError: if nothing is of the topic, nothing is left to hold it against, or twins are
            wanted of an expression or of free text, whose surrogates nobody knows.
    """
    own = topic.tokens(use)
    if not own.any():
        raise PlanError("nothing in these records is of that topic.")
    if against == "twins":
        if topic.pattern:
            raise PlanError(
                "a regular expression has no surrogates to be held against. Use 'rest'."
            )
        kept = np.unique(use.record[own])
        records = _twins([use.encoded[i].record for i in kept], topic, seed)
        twins = read_codes(model, codebook, records)
        return Held(use, own, twins, topic.tokens(twins), pairs=True)
    control = _others(use, topic, own) if against == "others" else _rest(use, own)
    if not control.any():
        raise PlanError(f"no token is left to hold the topic against ('{against}').")
    return Held(use, own, use, control, pairs=False)


def _others(use: CodeUse, topic: Topic, own: Tokens) -> Tokens:
    """Tokens of spans of the labels that the topic has."""
    labels = frozenset(
        span.span.label
        for encoded in use.encoded
        for span in encoded.spans
        if topic.scope.holds(encoded.record, encoded.record.span_id(span.span), span.span.label)
    )
    every = Topic(Scope(labels=labels)).tokens(use) if labels else np.ones_like(own)
    return every & ~own


def _rest(use: CodeUse, own: Tokens) -> Tokens:
    return np.isin(use.record, use.record[own]) & ~own


def _twins(records: Sequence[Record], topic: Topic, seed: int) -> tuple[Record, ...]:
    """The records with the topic's spans swapped; the others stay as they are."""
    only: list[Record] = []
    for record in records:
        spans = tuple(
            s for s in record.spans if topic.scope.holds(record, record.span_id(s), s.label)
        )
        only.append(Record(record.id, record.subject, record.text, spans))
    if has_free_text(only):
        raise PlanError("free text has no surrogates to be held against. Use 'rest'.")
    return substitute(only, seed)


def _compiled(pattern: str) -> regex.Pattern[str]:
    try:
        return regex.compile(pattern)
    except regex.error as error:
        raise PlanError(f"that is no regular expression: {error}.") from None


def _matches(find: regex.Pattern[str], encoded: Encoded) -> list[tuple[int, int]]:
    """Token positions [start, end) of every match."""
    places: list[tuple[int, int]] = []
    try:
        for match in find.finditer(encoded.record.text, timeout=_SECONDS):
            start, end = match.span()
            inside = [i for i, (a, b) in enumerate(encoded.offsets) if a < end and b > start]
            if inside:
                places.append((inside[0], inside[-1] + 1))
    except TimeoutError:
        raise PlanError(
            f"the expression takes over {_SECONDS} s on one record. Write a simpler one."
        ) from None
    return places


def _spans(scope: Scope, encoded: Encoded) -> list[tuple[int, int]]:
    record = encoded.record
    return [
        (each.start, each.end)
        for each in encoded.spans
        if scope.holds(record, record.span_id(each.span), each.span.label)
    ]


def _marked(encoded: Encoded, places: Sequence[tuple[int, int]]) -> Bool[np.ndarray, " position"]:
    marks = np.zeros(len(encoded.ids), bool)
    for start, end in places:
        marks[max(0, start - 1) : end] = True
    return marks


def _as_read(use: CodeUse, marks: Sequence[Bool[np.ndarray, " position"]]) -> Tokens:
    """The marks of whole records, at the tokens that were read."""
    lengths = [len(mark) for mark in marks]
    starts = np.concatenate([[0], np.cumsum(lengths)])[:-1]
    flat = np.concatenate(marks) if marks else np.zeros(0, bool)
    return flat[starts[use.record] + use.position]
