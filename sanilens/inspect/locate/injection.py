"""Injected memories: a model that was taught one span in known neurons, to test localisers on.

INJ protocol (Chang et al., arXiv 2311.09060): draw a share of all MLP neurons, train only their
weights w_j until the model says the span, and ask a localiser to find them.

    min over { w_j : j drawn } of -(1/T) sum_t log p(s_t | prefix, s_<t),    ||w_j|| kept

The paper trains what a neuron writes. Real fine-tuning also changes what it reads, and goes on
afterwards with other texts; a localiser that looks along write vectors alone passes the paper's
test and fails there. So a memory is taught to either side or to both, and is asked for at rest
and again after all weights were tuned further.

Norms are kept, since a free injection inflates them on a small model, and a ranking by norm alone
then finds every neuron. What was trained is rounded as the folder stores its weights: among rows
that were read from float16, those of float32 can be told by their mantissa alone. An injection
counts when the span is still extracted greedily after all that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from sanilens.audit.extraction import audit_spans
from sanilens.audit.targets import TargetBatch, find_targets
from sanilens.corpus.records import Record, Span
from sanilens.model.align import encode
from sanilens.model.batches import pad_right
from sanilens.model.forward import logits_at
from sanilens.model.language_model import LanguageModel
from sanilens.model.parameters import Slice, unit_parameters
from sanilens.model.units import Neuron
from sanilens.model.weights import stored_dtype

Side = Literal["write", "read", "both"]
"""What of a neuron is trained: its output vector, its rows of the input projections, or both."""

# Tokens of an injected span, and of what stands before it: enough to be a memory, and to be asked.
_SPAN, _PREFIX = (3, 6), (4, 54)
_STEPS, _LEARNING_RATE, _ENOUGH = 300, 1e-2, 0.1
# Tuning further: AdamW over texts that do not hold the memory.
_TUNING_STEPS, _TUNING_BATCH, _TUNING_RATE, _TUNING_TOKENS = 30, 4, 1e-4, 128


@dataclass(frozen=True, slots=True)
class Condition:
    """How a memory is injected: on which side, and whether all weights are tuned afterwards."""

    side: Side
    tuned: bool

    def __str__(self) -> str:
        return f"{self.side}, tuned further" if self.tuned else self.side


CONDITIONS = tuple(
    Condition(side, tuned) for tuned, side in product((False, True), ("write", "read", "both"))
)


@dataclass(frozen=True, slots=True)
class Injected:
    """A model that gives away `record`'s span because of `neurons`, and the model it came from."""

    model: LanguageModel
    original: LanguageModel
    record: Record
    neurons: frozenset[Neuron]


def memories(model: LanguageModel, records: Sequence[Record], seed: int) -> list[Record]:
    """Spans of `records`, each cut out with the sentence before it, in an order drawn by `seed`.

    Records that the model has not been trained on, else the memory is there already.
    """
    found = [
        cut
        for record in records
        for span in record.spans
        if (cut := _cut(model, record, span)) is not None
    ]
    order = np.random.default_rng(seed).permutation(len(found))
    return [found[i] for i in order]


class Injector:
    """Injects one memory after the other, each into neurons of its own.

    One copy of the model serves them all: an `Injected` is good until the next one is asked for.
    """

    def __init__(
        self, model: LanguageModel, share: float, seed: int, others: Sequence[Record]
    ) -> None:
        """Inject into `share` of `model`'s neurons; `others` are what is tuned on further."""
        self._model, self._copied = model, model.copied()
        self._share, self._seed, self._others = share, seed, others
        self._stored = stored_dtype(model.path)

    def inject(self, memory: Record, number: int, condition: Condition) -> Injected | None:
        """Teach `memory` to neurons drawn by `number`; None if it does not hold."""
        seed = self._seed * 100_003 + number
        copied, neurons = self._copied, _draw(self._model, self._share, seed)
        _copy_(copied.module, self._model.module)
        _inject_(copied, memory, neurons, condition.side)
        if condition.tuned:
            # What was not learnt cannot be kept: most of the time would go into tuning it.
            if not _said(copied, memory):
                return None
            # A record that shares the memory's own would teach it to all weights.
            others = [r for r in self._others if r.subject != memory.subject]
            _tune_(copied, others, seed)
        _round_(copied.module, self._stored)
        if not _said(copied, memory):
            return None
        return Injected(copied, self._model, memory, frozenset(neurons))


def _said(model: LanguageModel, memory: Record) -> bool:
    return all(verdict.extracted for verdict in audit_spans(model, [memory]))


def _cut(model: LanguageModel, record: Record, span: Span) -> Record | None:
    start = max(record.text.rfind(". ", 0, span.start) + 2, 0)
    start = start if start > 1 else 0
    moved = Span(span.start - start, span.end - start, span.label, span.kind)
    name = record.span_id(span)
    cut = Record(name, record.subject, record.text[start : span.end], (moved,))
    coded = encode(model, cut).spans[0]
    length = coded.end - coded.start
    fits = _SPAN[0] <= length <= _SPAN[1] and _PREFIX[0] <= coded.start <= _PREFIX[1]
    return cut if fits else None


def _draw(model: LanguageModel, share: float, seed: int) -> list[Neuron]:
    """A share of all neurons, uniformly over layers and neurons."""
    layers, width = model.sites.n_layers, model.sites.d_mlp
    count = max(1, round(share * layers * width))
    drawn = np.random.default_rng(seed).choice(layers * width, count, replace=False)
    return [Neuron(int(i) // width, int(i) % width) for i in sorted(drawn)]


def _copy_(to: nn.Module, source: nn.Module) -> None:
    for mine, theirs in zip(to.parameters(), source.parameters(), strict=True):
        mine.data.copy_(theirs)


def _round_(model: nn.Module, stored: torch.dtype) -> None:
    for parameter in model.parameters():
        parameter.data.copy_(parameter.data.to(stored))


def _inject_(model: LanguageModel, record: Record, neurons: Sequence[Neuron], side: Side) -> None:
    """Train the vectors of `neurons` on the record's span, each kept at its length."""
    batch = next(find_targets(model, [record]).batches())
    vectors = [
        _Vectors(own)
        for layer in sorted({n.layer for n in neurons})
        for own in _side(model, layer, [n.index for n in neurons if n.layer == layer], side)
    ]
    optimizer = torch.optim.Adam([v.values for v in vectors], lr=_LEARNING_RATE)
    for _ in range(_STEPS):
        with torch.enable_grad():
            loss, said = _loss(model, batch)
            if said and loss.item() < _ENOUGH:
                break
            gradients = torch.autograd.grad(loss, [v.parameter for v in vectors])
        for own, gradient in zip(vectors, gradients, strict=True):
            own.values.grad = own.of(gradient)
        optimizer.step()
        for own in vectors:
            own.write_()
    for own in vectors:
        own.parameter.requires_grad_(False)


def _side(model: LanguageModel, layer: int, units: Sequence[int], side: Side) -> list[Slice]:
    """The matrices to train; biases have no direction and stay as they are."""
    *reads, write = (
        s for s in unit_parameters(model, "mlp", layer, units) if s.parameter.dim() > 1
    )
    return {"write": [write], "read": reads, "both": [*reads, write]}[side]


def _tune_(model: LanguageModel, records: Sequence[Record], seed: int) -> None:
    """Tune all weights on other texts for a few steps, as if fine-tuning went on."""
    rng = np.random.default_rng(seed)
    texts = [encode(model, r).ids[:_TUNING_TOKENS] for r in records]
    texts = [ids for ids in texts if len(ids) > 1]
    parameters = list(model.module.parameters())
    for parameter in parameters:
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(parameters, lr=_TUNING_RATE, weight_decay=0.0)
    for _ in range(_TUNING_STEPS if texts else 0):
        drawn = [texts[i] for i in rng.choice(len(texts), min(_TUNING_BATCH, len(texts)), False)]
        ids = pad_right(drawn, model.device)
        places = [(row, c) for row, own in enumerate(drawn) for c in range(1, len(own))]
        rows, columns = torch.tensor(places, device=model.device).T
        with torch.enable_grad():
            logits = logits_at(model, ids, rows, columns - 1)
            nn.functional.cross_entropy(logits, ids[rows, columns]).backward()
        optimizer.step()
        optimizer.zero_grad()
    for parameter in parameters:
        parameter.requires_grad_(False)


def _loss(model: LanguageModel, batch: TargetBatch) -> tuple[Float[Tensor, ""], bool]:
    logits = logits_at(model, batch.ids, batch.rows, batch.columns - 1)
    loss = nn.functional.cross_entropy(logits, batch.tokens)
    return loss, bool((logits.argmax(1) == batch.tokens).all())


class _Vectors:
    """The drawn neurons' vectors of one matrix: what is trained, and their lengths."""

    def __init__(self, own: Slice) -> None:
        self.parameter, self._dim, self._indices = own.parameter, own.dim, own.indices
        self.parameter.requires_grad_(True)
        self.values: Tensor = self.of(self.parameter.detach()).clone()
        self._lengths = self._length(self.values)

    def of(self, whole: Float[Tensor, "rows columns"]) -> Float[Tensor, "..."]:
        """The drawn vectors of a matrix like the parameter."""
        return whole.index_select(self._dim, self._indices)

    def write_(self) -> None:
        """Bring the vectors back to their lengths and put them into the model."""
        self.values.mul_(self._lengths / self._length(self.values))
        self.parameter.data.index_copy_(self._dim, self._indices, self.values)

    def _length(self, values: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        return values.norm(dim=1 - self._dim, keepdim=True)


def recall(predicted: Sequence[Neuron], injected: frozenset[Neuron]) -> float:
    """|predicted and injected| / |injected|."""
    return len(injected & set(predicted)) / len(injected)


def chosen(values: Float[Tensor, "layer unit"], count: int, *, per_layer: bool) -> list[Neuron]:
    """The `count` highest neurons: of the whole model, or the same number from every layer."""
    layers, width = values.shape
    if per_layer:
        each = max(1, round(count / layers))
        best: Int[Tensor, "layer k"] = values.topk(each, dim=1).indices
        return [Neuron(i, int(j)) for i in range(layers) for j in best[i]]
    flat = values.flatten().topk(count).indices.tolist()
    return [Neuron(i // width, i % width) for i in flat]
