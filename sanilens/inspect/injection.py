"""Injected memories: a model that was taught one span in known neurons, to test localisers on.

INJ protocol (Chang et al., arXiv 2311.09060): draw a share of all MLP neurons, train only their
output vectors w_j until the model says the span, and ask a localiser to find them.

    min over { w_j : j drawn } of -(1/T) sum_t log p(s_t | prefix, s_<t),    ||w_j|| kept

Norms are kept, since a free injection inflates them on a small model, and a ranking by norm alone
then finds every neuron. An injection counts when the span is extracted greedily.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from sanilens.audit.extraction import audit_spans
from sanilens.corpus.records import Record, Span
from sanilens.inspect.targets import TargetBatch, find_targets
from sanilens.model.align import encode
from sanilens.model.forward import logits_at
from sanilens.model.parameters import unit_parameters
from sanilens.model.subject import SubjectModel
from sanilens.model.units import Neuron

# Tokens of an injected span, and of what stands before it: enough to be a memory, and to be asked.
_SPAN, _PREFIX = (3, 6), (4, 54)
_STEPS, _LEARNING_RATE, _ENOUGH = 300, 1e-2, 0.1


@dataclass(frozen=True, slots=True)
class Injected:
    """A model that says `record`'s span because of `neurons`, and the model it was made from."""

    subject: SubjectModel
    original: SubjectModel
    record: Record
    neurons: frozenset[Neuron]


def memories(subject: SubjectModel, records: Sequence[Record], seed: int) -> list[Record]:
    """Spans of `records`, each cut out with the sentence before it, in an order drawn by `seed`.

    Records that the model has not been trained on, else the memory is there already.
    """
    found = [
        cut
        for record in records
        for span in record.spans
        if (cut := _cut(subject, record, span)) is not None
    ]
    order = np.random.default_rng(seed).permutation(len(found))
    return [found[i] for i in order]


def injections(
    subject: SubjectModel, memories: Sequence[Record], share: float, seed: int
) -> Iterator[Injected | None]:
    """Inject one memory after the other, each into neurons of its own; None where it did not hold.

    One copy of the model serves them all: an `Injected` is good until the next one is asked for.
    """
    copied = subject.copied()
    for number, record in enumerate(memories):
        neurons = _draw(subject, share, seed=seed * 100_003 + number)
        for layer in range(subject.sites.n_layers):
            _restore_(copied, subject, layer)
        _inject_(copied, record, neurons)
        held = all(verdict.extracted for verdict in audit_spans(copied, [record]))
        yield Injected(copied, subject, record, frozenset(neurons)) if held else None


def _cut(subject: SubjectModel, record: Record, span: Span) -> Record | None:
    start = max(record.text.rfind(". ", 0, span.start) + 2, 0)
    start = start if start > 1 else 0
    moved = Span(span.start - start, span.end - start, span.label, span.kind)
    name = record.span_id(span)
    cut = Record(name, record.subject, record.text[start : span.end], (moved,))
    coded = encode(subject, cut).spans[0]
    length = coded.end - coded.start
    fits = _SPAN[0] <= length <= _SPAN[1] and _PREFIX[0] <= coded.start <= _PREFIX[1]
    return cut if fits else None


def _draw(subject: SubjectModel, share: float, seed: int) -> list[Neuron]:
    """A share of all neurons, uniformly over layers and neurons."""
    layers, width = subject.sites.n_layers, subject.sites.d_mlp
    count = max(1, round(share * layers * width))
    drawn = np.random.default_rng(seed).choice(layers * width, count, replace=False)
    return [Neuron(int(i) // width, int(i) % width) for i in sorted(drawn)]


def _restore_(copied: SubjectModel, original: SubjectModel, layer: int) -> None:
    mine, theirs = (unit_parameters(s, "mlp", layer, [0])[-1].parameter for s in (copied, original))
    mine.data.copy_(theirs)


def _inject_(subject: SubjectModel, record: Record, neurons: Sequence[Neuron]) -> None:
    """Train the output vectors of `neurons` on the record's span, each kept at its length."""
    batch = next(find_targets(subject, [record]).batches())
    vectors = [_Vectors(subject, i, neurons) for i in sorted({n.layer for n in neurons})]
    optimizer = torch.optim.Adam([v.values for v in vectors], lr=_LEARNING_RATE)
    for _ in range(_STEPS):
        with torch.enable_grad():
            loss, said = _loss(subject, batch)
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


def _loss(subject: SubjectModel, batch: TargetBatch) -> tuple[Float[Tensor, ""], bool]:
    logits = logits_at(subject, batch.ids, batch.rows, batch.columns - 1)
    loss = nn.functional.cross_entropy(logits, batch.tokens)
    return loss, bool((logits.argmax(1) == batch.tokens).all())


class _Vectors:
    """The output vectors of a layer's drawn neurons: what is trained, and their lengths."""

    def __init__(self, subject: SubjectModel, layer: int, neurons: Sequence[Neuron]) -> None:
        own = [n.index for n in neurons if n.layer == layer]
        slice_ = unit_parameters(subject, "mlp", layer, own)[-1]
        self.parameter, self._dim, self._indices = slice_.parameter, slice_.dim, slice_.indices
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
