"""Gradient × activation: which neurons carry a span, for all neurons in one backward pass.

    A(n) = sum_t a_{n,t} * d/da_{n,t} [ log p(span | prefix) ]

is, to first order, what log p loses when neuron n is set to zero at every position (attribution
patching towards zero; Chang et al., arXiv 2311.09060, call the exact value ZERO-OUT). Contrasted,
the same quantity for matched non-sensitive tokens is subtracted, so that units which merely help
to write text do not stand at the top. The difference is one objective, hence one backward pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.audit.extraction import Progress
from sanilens.audit.passages import Passage, make_passages
from sanilens.corpus.records import Record
from sanilens.errors import PlanError
from sanilens.inspect.scores import UnitScores
from sanilens.model.batches import bucketed, pad_right, token_budget
from sanilens.model.forward import logits_at
from sanilens.model.hooks import Hooks
from sanilens.model.subject import SubjectModel


@dataclass(frozen=True, slots=True)
class Scope:
    """Which spans to attribute: all that match every field given.

    `spans` holds span ids. Empty fields match everything.
    """

    spans: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()

    def holds(self, record: Record, span_id: str, label: str) -> bool:
        """Whether a span of `record` is in scope."""
        return (
            (not self.spans or span_id in self.spans)
            and (not self.labels or label in self.labels)
            and (not self.subjects or record.subject in self.subjects)
        )


def gradient_activation(
    subject: SubjectModel,
    records: Sequence[Record],
    scope: Scope | None = None,
    *,
    contrast: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> UnitScores:
    """Score every neuron of every layer for the spans in scope; see the module's equation.

    Args:
        subject: the model.
        records: the corpus.
        scope: which spans; all unless given.
        contrast: subtract the attribution of as many non-sensitive tokens of the same records.
        seed: draws these tokens.
        progress: called with batches done and in all.

    Raises:
        PlanError: if no span with a prefix is in scope.
    """
    scope = scope or Scope()
    passages, spans = _in_scope(subject, records, scope)
    if not spans:
        raise PlanError("no span is in scope: the label, subject or span id matches nothing.")
    rng = np.random.default_rng(seed)
    total = torch.zeros(subject.sites.n_layers, subject.sites.d_mlp)
    batches = list(bucketed([len(p.ids) for p, _ in passages], token_budget(subject)))
    for number, batch in enumerate(batches, start=1):
        total += attribute(subject, *_objective([passages[i] for i in batch], contrast, rng))
        if progress:
            progress(number, len(batches))
    name = "gradient-activation" if contrast else "gradient-activation-plain"
    return UnitScores(name, total, spans)


def attribute(
    subject: SubjectModel,
    sequences: Sequence[Sequence[int]],
    places: Sequence[tuple[int, int]],
    weights: Sequence[float],
) -> Float[Tensor, "layer d_mlp"]:
    """sum_t a * dL/da for L = sum_i weights[i] * log p(token at places[i]), over all positions.

    `places` are (row, position) with position >= 1. Parameters get no gradient, so the backward
    pass costs about as much as the forward one.
    """
    ids = pad_right(sequences, subject.device)
    captured: list[Tensor] = []

    def capture(x: Tensor) -> Tensor:
        # The lowest layer's activations depend on frozen weights only: they become the leaf.
        x = x if x.requires_grad else x.detach().requires_grad_()
        captured.append(x)
        return x

    rows, columns = torch.tensor(list(places), device=subject.device).T
    hooks = Hooks({mlp.out: capture for mlp in subject.sites.mlps})
    with torch.enable_grad():
        logits = logits_at(subject, ids, rows, columns - 1, hooks)
        logprobs = logits.log_softmax(-1).gather(1, ids[rows, columns, None])[:, 0]
        objective = (logprobs * logprobs.new_tensor(list(weights))).sum()
        gradients = torch.autograd.grad(objective, captured)
    with torch.no_grad():
        parts = [(a * g).sum(dim=(0, 1)) for a, g in zip(captured, gradients, strict=True)]
    return torch.stack(parts).cpu()


def _in_scope(
    subject: SubjectModel, records: Sequence[Record], scope: Scope
) -> tuple[list[tuple[Passage, list[int]]], int]:
    """Passages with the indices of their targets in scope, and how many targets there are."""
    chosen, count = [], 0
    for passage in make_passages(subject, records):
        record = passage.record
        targets = [
            i
            for i, t in enumerate(passage.targets)
            if t.end > 1 and scope.holds(record, record.span_id(t.span.span), t.span.span.label)
        ]
        if targets:
            chosen.append((passage, targets))
            count += len(targets)
    return chosen, count


def _objective(
    passages: Sequence[tuple[Passage, list[int]]], contrast: bool, rng: np.random.Generator
) -> tuple[list[tuple[int, ...]], list[tuple[int, int]], list[float]]:
    """Sequences, places and weights of: target tokens (+1) minus matched neutral tokens (-m/n)."""
    places: list[tuple[int, int]] = []
    weights: list[float] = []
    for row, (passage, chosen) in enumerate(passages):
        sensitive = {c for t in passage.targets for c in range(t.start, t.end)}
        targets = [
            c
            for i in chosen
            for c in range(max(passage.targets[i].start, 1), passage.targets[i].end)
        ]
        places += [(row, c) for c in targets]
        weights += [1.0] * len(targets)
        neutral = [c for c in range(1, len(passage.ids)) if c not in sensitive]
        if contrast and neutral:
            drawn = rng.choice(neutral, min(len(neutral), len(targets)), replace=False)
            places += [(row, int(c)) for c in drawn]
            weights += [-len(targets) / len(drawn)] * len(drawn)
    return [p.ids for p, _ in passages], places, weights
