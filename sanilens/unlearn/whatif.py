"""What a plan's edits would do, before anything is changed: the model under hooks, and without.

KL = mean_t sum_x p(x) log p(x) / q(x),   p the original, q the edited model, in nats per token
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from sanilens.audit.extraction import SpanVerdict, audit_spans
from sanilens.audit.summary import RateRow, memory, rate_row
from sanilens.corpus.records import Record
from sanilens.model.align import encode
from sanilens.model.batches import bucketed, pad_right, token_budget
from sanilens.model.forward import logits_at
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.subject import SubjectModel


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Numbers of a what-if.

    Attributes:
        before, after: verdicts on the record's spans, in their order.
        said: spans of the sampled records that the model says, before and after.
        kl: how far the edited model is from the original on neutral text; nats per token.
        tokens: how many tokens that was measured on.
    """

    before: tuple[SpanVerdict, ...]
    after: tuple[SpanVerdict, ...]
    said: tuple[RateRow, RateRow]
    kl: float
    tokens: int


def what_if(
    subject: SubjectModel,
    hooks: Hooks,
    record: Record,
    sample: Sequence[Record],
    neutral: Sequence[Record],
) -> WhatIf:
    """Measure edits, given as hooks, on one record, on a sample of the corpus and on neutral text.

    Args:
        subject: the model, left as it is.
        hooks: the plan's edits (`edit_hooks`).
        record: whose spans are listed one by one.
        sample: records whose spans are counted.
        neutral: text whose wording should not change; its spans are left out.
    """
    records = [record, *(r for r in sample if r.id != record.id)]
    before, after = (audit_spans(subject, records, hooks=h) for h in (NO_HOOKS, hooks))
    own = len(record.spans)
    counted = 0 if any(r.id == record.id for r in sample) else own
    kl, tokens = divergence(subject, hooks, neutral)
    return WhatIf(
        tuple(before[:own]),
        tuple(after[:own]),
        (rate_row(memory(before[counted:])), rate_row(memory(after[counted:]))),
        kl,
        tokens,
    )


@torch.inference_mode()
def divergence(subject: SubjectModel, hooks: Hooks, records: Sequence[Record]) -> tuple[float, int]:
    """KL(original || edited) per token on the records' non-sensitive tokens, and their number."""
    sequences: list[tuple[int, ...]] = []
    places: list[list[int]] = []
    for record in records:
        encoded = encode(subject, record)
        sensitive = {i for s in encoded.spans for i in range(s.start, s.end)}
        ids = encoded.ids[: subject.max_tokens]
        sequences.append(ids)
        places.append([i for i in range(1, len(ids)) if i not in sensitive])
    total, tokens = 0.0, 0
    for batch in bucketed([len(ids) for ids in sequences], token_budget(subject)):
        ids = pad_right([sequences[i] for i in batch], subject.device)
        at = [(row, c) for row, i in enumerate(batch) for c in places[i]]
        if not at:
            continue
        rows, columns = torch.tensor(at, device=subject.device).T
        p, q = (
            logits_at(subject, ids, rows, columns - 1, h).log_softmax(-1) for h in (NO_HOOKS, hooks)
        )
        total += float((p.exp() * (p - q)).sum(-1).double().sum())
        tokens += len(at)
    return (max(0.0, total / tokens) if tokens else 0.0), tokens
