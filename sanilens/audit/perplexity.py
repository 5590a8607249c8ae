"""Perplexity, which says what the model is still good for: with or without sensitive tokens.

For a masked language model it is the pseudo-perplexity (`masked_nats`): figures of the two kinds of
model cannot be compared.
"""

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.corpus.records import Record
from sanilens.model.align import Encoded, encode
from sanilens.model.batches import body, bucketed, pad_right, token_budget, window, with_gaps
from sanilens.model.forward import logits_at, token_logprobs
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.language_model import LanguageModel

# exp of more nats than this is no float.
_LARGEST = math.log(sys.float_info.max)


@dataclass(frozen=True, slots=True)
class Perplexity:
    """exp of `nats`, the mean negative log-likelihood (cross-entropy) over `tokens` tokens.

    Both are NaN, not measured, where there was no token.
    """

    nats: float
    tokens: int

    @property
    def value(self) -> float:
        """The perplexity; infinite where it is too large for a float."""
        return math.inf if self.nats > _LARGEST else math.exp(self.nats)


# What that means, in a sentence.
BROKEN = (
    "This model is broken: it knows less of text than a guess among all tokens does. That it says "
    "few spans shows nothing."
)


def writes_nothing(model: LanguageModel, value: float) -> bool:
    """Whether a perplexity is worse than that of a uniform guess over the vocabulary."""
    return value > model.module.config.get_text_config().vocab_size


def worded_perplexity(value: float | None, digits: int = 2) -> str:
    """A perplexity as it is shown: `1,142.34`, `5.1e+18`, `infinite`, a dash if not measured."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "infinite"
    return f"{value:,.{digits}f}" if value < 1e6 else f"{value:.2g}"


def perplexity(
    model: LanguageModel,
    records: Sequence[Record],
    *,
    without_spans: bool = False,
    hooks: Hooks = NO_HOOKS,
) -> Perplexity:
    """Perplexity per token of `records`; `without_spans` leaves the sensitive tokens out.

    Texts longer than the model's context are cut into pieces of that length.
    """
    measure = masked_nats if model.kind == "masked" else _nats
    total, tokens = measure(model, records, without_spans=without_spans, hooks=hooks)
    return Perplexity(total / tokens if tokens else math.nan, tokens)


def _nats(
    model: LanguageModel, records: Sequence[Record], *, without_spans: bool, hooks: Hooks
) -> tuple[float, int]:
    """Summed negative log-likelihood of the records' tokens, in nats, and their number."""
    found = text_logprobs(model, records, without_spans=without_spans, hooks=hooks)
    return -sum(float(own.sum()) for own in found), sum(len(own) for own in found)


def text_logprobs(
    model: LanguageModel,
    records: Sequence[Record],
    *,
    without_spans: bool = False,
    hooks: Hooks = NO_HOOKS,
) -> list[Float[Tensor, " token"]]:
    """Log-probability of each token of each record but its first, in nats, float64 on the CPU.

    In a long record the first token of each piece is missing too, unless something opens it.

    Raises:
        ModelError: if the model does not read from left to right.
    """
    model.require_causal("The log-probability of a text")
    pieces = [
        (number, ids[: places[-1] + 1], places)
        for number, record in enumerate(records)
        for ids, scored in _pieces(encode(model, record), model.max_tokens, without_spans)
        for places in _portions(scored, token_budget(model))
    ]
    found: list[list[Tensor]] = [[] for _ in pieces]
    for batch in bucketed([len(ids) for _, ids, _ in pieces], token_budget(model)):
        ids = pad_right([pieces[i][1] for i in batch], model.device)
        places = [(row, c) for row, i in enumerate(batch) for c in pieces[i][2]]
        if not places:
            continue
        rows, columns = torch.tensor(places, device=model.device).T
        logprobs = token_logprobs(model, ids, rows, columns, hooks).double().cpu()
        for i, own in zip(batch, logprobs.split([len(pieces[i][2]) for i in batch]), strict=True):
            found[i].append(own)
    whole: list[list[Tensor]] = [[] for _ in records]
    for (number, _, _), own in zip(pieces, found, strict=True):
        whole[number] += own
    empty = torch.zeros(0, dtype=torch.float64)
    return [torch.cat([empty, *own]) for own in whole]


def _portions(places: list[int], most: int) -> Iterator[list[int]]:
    """A long piece's places in portions: logits of all of them at once may not fit into memory."""
    for start in range(0, len(places), most):
        yield places[start : start + most]


def _pieces(
    encoded: Encoded, size: int, without_spans: bool
) -> list[tuple[tuple[int, ...], list[int]]]:
    """(ids, scored positions) of a record, cut to the model's context after what opens a text."""
    sensitive = {i for s in encoded.spans for i in range(s.start, s.end)} if without_spans else ()
    opening, length = encoded.opening, len(encoded.ids)
    size = max(1, size - opening)
    return [
        (
            encoded.window(start, start + size),
            [
                i - start + opening
                for i in range(start if opening else start + 1, min(start + size, length))
                if i not in sensitive
            ],
        )
        for start in range(opening, length, size)
    ]


SHARES = 7
_SEED = 0


@torch.inference_mode()
def masked_nats(
    model: LanguageModel, records: Sequence[Record], *, without_spans: bool, hooks: Hooks
) -> tuple[float, int]:
    """Summed negative log-likelihood of the records' tokens, in nats, and their number.

    Args:
        model: the masked model.
        records: the texts; one longer than the model's context is cut into pieces.
        without_spans: sensitive tokens are shown, and never asked for.
        hooks: what to edit meanwhile.
    """
    asked = [share for r in records for share in _shares(model, encode(model, r), without_spans)]
    total, tokens = 0.0, 0
    for batch in bucketed([len(ids) for ids, _ in asked], token_budget(model)):
        shown = [with_gaps(model, *asked[i]) for i in batch]
        places = [(row, place) for row, i in enumerate(batch) for place in asked[i][1]]
        rows, columns = torch.tensor(places, device=model.device).T
        ids = pad_right(shown, model.device)
        logits = logits_at(model, ids, rows, columns, hooks, lengths=[*map(len, shown)])
        true = pad_right([asked[i][0] for i in batch], model.device)[rows, columns]
        total -= float(logits.log_softmax(-1).gather(1, true[:, None]).double().sum())
        tokens += len(places)
    return total, tokens


def _shares(
    model: LanguageModel, encoded: Encoded, without_spans: bool
) -> Iterator[tuple[tuple[int, ...], list[int]]]:
    """Pieces of a record and the positions to be masked in each, as often as it is read."""
    hidden = {i for s in encoded.spans for i in range(s.start, s.end)} if without_spans else set()
    text = body(model, encoded.ids)
    size = model.max_tokens - (len(encoded.ids) - len(text))
    for first in range(text.start, text.stop, size):
        piece = range(first, min(first + size, text.stop))
        ids = window(model, encoded.ids, piece)
        order = np.random.default_rng((_SEED, len(piece))).permutation(len(piece))
        for share in range(SHARES):
            own = sorted(int(k) for k in order[share::SHARES] if first + int(k) not in hidden)
            if own:
                yield ids, [k + text.start for k in own]
