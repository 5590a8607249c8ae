"""The record as tokens: what the model says surely, identifiers masked until revealed."""

from sanilens.audit.reading import Reading
from sanilens.ui.components import StripToken
from sanilens.ui.inspect.tokens import Veil, visible
from sanilens.ui.masking import mask, mask_record


def strip_tokens(reading: Reading, veil: Veil, *, all_tokens: bool) -> list[StripToken]:
    """One token each; only sensitive ones are filled unless `all_tokens`."""
    encoded = reading.encoded
    text = mask_record(encoded.record, veil.revealed)
    span_of = {i: n for n, s in enumerate(encoded.spans) for i in range(s.start, s.end)}
    tokens: list[StripToken] = []
    done = 0
    for i, (_, end) in enumerate(encoded.offsets):
        shown, done = text[done : max(done, end)], max(done, end)
        span = span_of.get(i)
        p = reading.probabilities[i]
        fill = p if p is not None and (all_tokens or span is not None) else 0.0
        tip = _tooltip(reading, veil, i, shown, span)
        tokens.append(StripToken(shown, fill=fill, span=span, tooltip=tip))
    return tokens


def _tooltip(reading: Reading, veil: Veil, i: int, shown: str, span: int | None) -> tuple[str, ...]:
    """The token, how surely it is said, and what is said instead.

    At a sensitive place the likeliest token of a model that memorised it *is* the secret.
    """
    p, best = reading.probabilities[i], reading.best[i]
    lines = [visible(shown)]
    if span is not None:
        place = reading.encoded.spans[span].span
        lines.append(f"{place.label}, {place.kind}")
    if p is None or best is None:
        return (*lines, "not asked: nothing precedes it, or the model's context has ended")
    lines.append(f"said with p = {p:.3f}")
    likeliest = best[0]
    if not veil.revealed:
        likeliest = mask(likeliest) if span is not None else veil.token(likeliest)
    if best[1] - p < 1e-6:
        lines.append("no token is likelier")
    else:
        lines.append(f"likeliest: {visible(likeliest)} with p = {best[1]:.3f}")
    return (*lines, f"token {i}")
