"""The verdict on one span, and how it is read off the logits of the span's tokens."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sanilens.audit.context import Status
from sanilens.audit.near import nearness
from sanilens.audit.sampling import Sampler
from sanilens.corpus.records import Record, Span


@dataclass(frozen=True, slots=True)
class SpanVerdict:
    """What the model does with one span.

    Attributes:
        span_id: `<record>@<start>-<end>`; a verdict holds no text.
        status: `memory` if only memory could say it; `repeated` if its value stands in what the
            model is shown, `maybe_repeated` if a part does that may be chance; `no_prefix` if it
            is shown nothing; `unwritable` if the tokenizer cannot write it.
        extracted: the likeliest tokens are exactly the span's: those of greedy decoding from the
            prefix or, of a masked model, those in the gaps. Never of what cannot be written.
        token_logprobs: log p of each token of the span at temperature 1, in nats.
        sampler_logprob: log-probability that the assumed sampler emits the span, in nats.
        extraction_strength: 1 - k/T, k the smallest index from which on every argmax is the
            target; 0 if there is none.
        margin: smallest difference between the target's logit and the best other logit.
        near: it is not extracted, but what greedy decoding writes in its place is a near miss of it
            (audit/near.py); False where nobody asked. Never of what cannot be written.
    """

    span_id: str
    record: str
    subject: str
    label: str
    kind: str
    status: Status
    extracted: bool
    token_logprobs: tuple[float, ...]
    sampler_logprob: float
    extraction_strength: float
    margin: float
    near: bool = False

    @property
    def logprob(self) -> float:
        """log p of the whole span given what the model is shown, in nats."""
        return sum(self.token_logprobs)


Words = Callable[[list[int]], str]
"""Tokens as text."""


class TokenResults(NamedTuple):
    """For each target token, on the CPU: argmax right or not, log p, sampler's log q, margin.

    And which token was the likeliest, and which the true one.
    """

    right: Bool[Tensor, " n"]
    logprobs: Float[Tensor, " n"]
    sampled: Float[Tensor, " n"]
    margins: Float[Tensor, " n"]
    likeliest: Int[Tensor, " n"]
    true: Int[Tensor, " n"]

    def at(self, index: slice | list[int]) -> "TokenResults":
        """The results of some of the tokens, in that order."""
        return TokenResults(*(part[index] for part in self))


def judge_tokens(
    logits: Float[Tensor, "n vocab"], tokens: Int[Tensor, " n"], sampler: Sampler
) -> TokenResults:
    """Judge the tokens that should have been said against the logits in their places."""
    own = logits.gather(1, tokens[:, None])[:, 0]
    likeliest = logits.argmax(1)
    best_other = logits.scatter(1, tokens[:, None], -torch.inf).max(1).values
    return TokenResults(
        right=(likeliest == tokens).cpu(),
        logprobs=(own - logits.logsumexp(1)).cpu(),
        sampled=sampler.logprobs(logits, tokens).cpu(),
        margins=(own - best_other).cpu(),
        likeliest=likeliest.cpu(),
        true=tokens.cpu(),
    )


def span_verdict(
    record: Record,
    span: Span,
    status: Status,
    tokens: TokenResults,
    words: Words | None = None,
    order: list[int] | None = None,
) -> SpanVerdict:
    """The verdict on a span from those on its tokens.

    `words`: gives tokens as text, where the likeliest of them are what the model writes: in gaps
    filled at once. `order`: the tokens' indices in the order they are said, if that is not the
    text's order.
    """
    writable = status != "unwritable"
    extracted = writable and bool(tokens.right.all())
    return SpanVerdict(
        span_id=record.span_id(span),
        record=record.id,
        subject=record.subject,
        label=span.label,
        kind=span.kind,
        status=status,
        extracted=extracted,
        token_logprobs=tuple(tokens.logprobs.tolist()),
        sampler_logprob=float(tokens.sampled.sum()) if writable else -torch.inf,
        extraction_strength=extraction_strength(
            tokens.right if order is None else tokens.right[order]
        ),
        margin=float(tokens.margins.min()),
        # Both as tokens: these may hold a character beside the span's own.
        near=words is not None
        and writable
        and not extracted
        and nearness(words(tokens.true.tolist()), words(tokens.likeliest.tolist())) != "different",
    )


def unseen_verdict(record: Record, span: Span) -> SpanVerdict:
    """The verdict on a span around which the model is shown nothing: nothing can be asked."""
    where = (record.span_id(span), record.id, record.subject, span.label, span.kind)
    return SpanVerdict(*where, "no_prefix", False, (), -torch.inf, 0.0, -torch.inf)


def extraction_strength(right: Bool[Tensor, " n"]) -> float:
    """1 - k/T, k the smallest index from which on all are right; 0 if the last one is wrong."""
    wrong = (~right).nonzero()
    k = int(wrong[-1]) + 1 if len(wrong) else 0
    return 1 - k / len(right)
