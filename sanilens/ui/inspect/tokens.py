"""The record as tokens: how sure the model is of each, and what the unit does there."""

from dataclasses import dataclass

from sanilens.audit.continuations import Identifiers, Reading
from sanilens.case import Case
from sanilens.inspect.units.card import Card
from sanilens.model.align import Encoded
from sanilens.ui import state
from sanilens.ui.components import StripToken
from sanilens.ui.extracted import identifiers
from sanilens.ui.masking import mask, mask_record
from sanilens.ui.results import results

# A shorter beginning of a name, such as "Ma", is a syllable of many words.
_SHORTEST = 4


@dataclass(frozen=True, slots=True)
class Veil:
    """Masks tokens that are, begin or end a word or number of an identifier."""

    revealed: bool
    parts: frozenset[str]

    def token(self, text: str) -> str:
        """A token of the model's own, masked if it could be part of an identifier."""
        bare = text.strip().casefold()
        return mask(text) if not self.revealed and bare in self.parts else text


def veil(opened: Case, record: str) -> Veil:
    """The veil over a record of the open case."""
    known = identifiers(opened)
    parts = results().get(("parts", opened.key), lambda: _parts(known))
    return Veil(state.revealed(record), parts)


def _parts(known: Identifiers) -> frozenset[str]:
    cuts = {p[:n] for p in known.pieces for n in range(_SHORTEST, len(p))}
    ends = {p[-n:] for p in known.pieces for n in range(_SHORTEST, len(p))}
    return known.pieces | cuts | ends


def visible(text: str) -> str:
    """A token with its blanks and line ends made visible."""
    return f"“{text.replace(chr(10), '↵').replace(' ', '␣')}”" if text else "(no characters)"


def pieces(encoded: Encoded) -> list[tuple[int, int]]:
    """Each token's characters [start, end); together they cover the text exactly once."""
    found, done = [], 0
    for _, end in encoded.offsets:
        found.append((done, done := max(done, end)))
    return found


@dataclass(frozen=True, slots=True)
class Acting:
    """The selected unit on this record: its card, and its activation per token."""

    card: Card
    activations: tuple[float, ...]

    def level(self, i: int) -> float | None:
        """How active it is at token i, 0 to 1; None past the model's context."""
        return self.card.level(self.activations[i]) if i < len(self.activations) else None


def strip_tokens(
    reading: Reading, veil: Veil, *, all_tokens: bool, acting: Acting | None = None
) -> list[StripToken]:
    """The tokens to draw; only sensitive ones are filled unless `all_tokens`."""
    encoded = reading.encoded
    text = mask_record(encoded.record, veil.revealed)
    span_of = {i: n for n, s in enumerate(encoded.spans) for i in range(s.start, s.end)}
    tokens: list[StripToken] = []
    for i, (start, end) in enumerate(pieces(encoded)):
        shown, span, p = text[start:end], span_of.get(i), reading.probabilities[i]
        fill = p if p is not None and (all_tokens or span is not None) else 0.0
        tip = [*_said(reading, veil, i, shown, span), f"token {i}"]
        level = acting.level(i) if acting else None
        if acting and level is not None:
            tip.insert(-1, f"{acting.card.unit}: activation {acting.activations[i]:+.4f}")
        tokens.append(StripToken(shown, fill, underline=level, span=span, tooltip=tuple(tip)))
    return tokens


def _said(reading: Reading, veil: Veil, i: int, shown: str, span: int | None) -> tuple[str, ...]:
    """The token, its probability, and the likeliest token instead.

    At a sensitive place the likeliest token of a model that memorised it *is* the secret.
    """
    p, rank, best = reading.probabilities[i], reading.ranks[i], reading.best[i]
    lines = [visible(shown)]
    if span is not None:
        place = reading.encoded.spans[span].span
        lines.append(f"{place.label}, {place.kind}")
    if p is None or best is None or rank is None:
        return (*lines, "not tested: no text before it, or past the model's context")
    lines.append(f"p = {p:.4f}, rank {rank:,}")
    if rank > 1:
        likeliest = best[0]
        if not veil.revealed:
            likeliest = mask(likeliest) if span is not None else veil.token(likeliest)
        lines.append(f"likeliest: {visible(likeliest)}, p = {best[1]:.4f}")
    return tuple(lines)
