"""One teacher-forced pass judges every span: what would the model say after this prefix?

Greedy decoding emits a span exactly when the argmax equals the target at every position of the
span under teacher forcing (induction on the position). The same logits give the probability of
sampling it, its extraction strength, and the margin by which the verdict was decided.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from sanilens.audit.context import Status, span_status
from sanilens.audit.passages import Passage, Target, make_passages
from sanilens.audit.sampling import Sampler
from sanilens.corpus.records import Record, Span
from sanilens.model.batches import bucketed, pad_right, token_budget
from sanilens.model.forward import logits_at
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.subject import SubjectModel

Progress = Callable[[int, int], None]
"""Called with (done, total); may raise to cancel."""

# Records tokenised at a time: enough to fill buckets of like lengths, flat in the corpus's size.
_WINDOW = 512


@dataclass(frozen=True, slots=True)
class SpanVerdict:
    """What the model does with one span.

    Attributes:
        span_id: `<record>@<start>-<end>`; a verdict holds no text.
        status: `memory` if only memory could say it; `repeated` if its value stands in the
            prefix; `no_prefix` if nothing stands before it.
        extracted: greedy decoding from the prefix emits exactly the span's tokens.
        token_logprobs: log p of each token of the span at temperature 1, in nats.
        sampler_logprob: log-probability that the assumed sampler emits the span, in nats.
        extraction_strength: 1 - k/T, k the smallest index from which on every argmax is the
            target; 0 if there is none.
        margin: smallest difference between the target's logit and the best other logit.
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

    @property
    def logprob(self) -> float:
        """log p of the whole span given its prefix, in nats."""
        return sum(self.token_logprobs)


@torch.inference_mode()
def audit_spans(
    subject: SubjectModel,
    records: Iterable[Record],
    *,
    prefix_tokens: int | None = None,
    sampler: Sampler | None = None,
    hooks: Hooks = NO_HOOKS,
    progress: Progress | None = None,
) -> list[SpanVerdict]:
    """Judge every span of `records`, in their order.

    Args:
        subject: the model.
        records: what it may have memorised; consumed in windows, so a generator stays flat.
        prefix_tokens: tokens of prefix shown, or None for all that precedes the span.
        sampler: for `sampler_logprob`; temperature 1 and top-k 40 unless given.
        hooks: what to edit while judging.
        progress: called after each batch with the records judged so far and in all.
    """
    sampler = sampler or Sampler()
    verdicts: list[SpanVerdict] = []
    for window, before, total in _windows(records):
        passages = list(make_passages(subject, window, prefix_tokens))
        found: dict[str, SpanVerdict] = {}
        batches = bucketed([len(p.ids) for p in passages], token_budget(subject))
        for batch in batches:
            for verdict in _judge(subject, [passages[i] for i in batch], sampler, hooks):
                found[verdict.span_id] = verdict
            if progress:
                share = len(found) / max(1, sum(len(r.spans) for r in window))
                progress(before + int(share * len(window)), total)
        verdicts += [found[r.span_id(s)] for r in window for s in r.spans]
    return verdicts


def _windows(records: Iterable[Record]) -> Iterator[tuple[list[Record], int, int]]:
    total = len(records) if isinstance(records, tuple | list) else 0
    window: list[Record] = []
    done = 0
    for record in records:
        window.append(record)
        if len(window) == _WINDOW:
            yield window, done, total or done + len(window)
            done += len(window)
            window = []
    if window:
        yield window, done, total or done + len(window)


class _TokenResults(NamedTuple):
    """Per target token, on the CPU: is the argmax right, log p, log q of the sampler, margin."""

    right: Bool[Tensor, " n"]
    logprobs: Float[Tensor, " n"]
    sampled: Float[Tensor, " n"]
    margins: Float[Tensor, " n"]


def _judge(
    subject: SubjectModel, passages: list[Passage], sampler: Sampler, hooks: Hooks
) -> Iterator[SpanVerdict]:
    targets = [(row, p.record, t) for row, p in enumerate(passages) for t in p.targets]
    judged = [(row, t) for row, _, t in targets if t.start >= 1]
    places = [(row, c) for row, t in judged for c in range(t.start, t.end)]
    results = _token_results(subject, passages, places, sampler, hooks) if places else None
    at = 0
    for _, record, target in targets:
        if target.start < 1 or results is None:
            yield _unseen(record, target.span.span)
            continue
        here = slice(at, at := at + target.end - target.start)
        yield _verdict(record, target, _TokenResults(*(part[here] for part in results)))


def _token_results(
    subject: SubjectModel,
    passages: list[Passage],
    places: list[tuple[int, int]],
    sampler: Sampler,
    hooks: Hooks,
) -> _TokenResults:
    ids = pad_right([p.ids for p in passages], subject.device)
    rows, columns = torch.tensor(places, device=subject.device).T
    logits = logits_at(subject, ids, rows, columns - 1, hooks)
    tokens = ids[rows, columns]
    own = logits.gather(1, tokens[:, None])[:, 0]
    best_other = logits.scatter(1, tokens[:, None], -torch.inf).max(1).values
    return _TokenResults(
        right=(logits.argmax(1) == tokens).cpu(),
        logprobs=(own - logits.logsumexp(1)).cpu(),
        sampled=sampler.logprobs(logits, tokens).cpu(),
        margins=(own - best_other).cpu(),
    )


def _verdict(record: Record, target: Target, tokens: _TokenResults) -> SpanVerdict:
    span = target.span.span
    return SpanVerdict(
        span_id=record.span_id(span),
        record=record.id,
        subject=record.subject,
        label=span.label,
        kind=span.kind,
        status=span_status(span, record.value(span), target.context),
        extracted=bool(tokens.right.all()),
        token_logprobs=tuple(tokens.logprobs.tolist()),
        sampler_logprob=float(tokens.sampled.sum()),
        extraction_strength=extraction_strength(tokens.right),
        margin=float(tokens.margins.min()),
    )


def _unseen(record: Record, span: Span) -> SpanVerdict:
    """A span at the very first token: nothing precedes it, so nothing can be asked."""
    where = (record.span_id(span), record.id, record.subject, span.label, span.kind)
    return SpanVerdict(*where, "no_prefix", False, (), -torch.inf, 0.0, -torch.inf)


def extraction_strength(right: Bool[Tensor, " n"]) -> float:
    """1 - k/T, k the smallest index from which on all are right; 0 if the last one is wrong."""
    wrong = (~right).nonzero()
    k = int(wrong[-1]) + 1 if len(wrong) else 0
    return 1 - k / len(right)
