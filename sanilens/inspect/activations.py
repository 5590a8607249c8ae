"""What neurons do over a corpus: their activations per token, sensitive or not."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sanilens.corpus.records import Record
from sanilens.model.align import Encoded, encode
from sanilens.model.batches import bucketed, pad_right, token_budget
from sanilens.model.forward import logits_at
from sanilens.model.hooks import Hooks
from sanilens.model.interventions import by_place
from sanilens.model.subject import SubjectModel
from sanilens.model.units import Neuron


@dataclass(frozen=True, slots=True)
class Activations:
    """Activations of some neurons at every token of some records.

    Attributes:
        neurons: whose columns `values` holds.
        encoded: the records, as tokens.
        values: one row a token, records one after the other.
        record: each token's record, as an index into `encoded`.
        position: each token's position in its record.
        sensitive: whether the token predicts, or is part of, a sensitive span.
    """

    neurons: tuple[Neuron, ...]
    encoded: tuple[Encoded, ...]
    values: Float[np.ndarray, "token neuron"]
    record: Int[np.ndarray, " token"]
    position: Int[np.ndarray, " token"]
    sensitive: Bool[np.ndarray, " token"]

    def of(self, neuron: Neuron) -> Float[np.ndarray, " token"]:
        """One neuron's activation at every token."""
        return self.values[:, self.neurons.index(neuron)]


@torch.inference_mode()
def activations(
    subject: SubjectModel, records: Sequence[Record], neurons: Sequence[Neuron]
) -> Activations:
    """Run `records` through the model and keep the activations of `neurons` only."""
    encoded = [encode(subject, record) for record in records]
    layers = {layer: indices for (_, layer), indices in by_place(neurons).items()}
    column = {n: i for i, n in enumerate(neurons)}
    size = subject.max_tokens
    rows: list[Float[np.ndarray, "token neuron"]] = [np.empty(0)] * len(encoded)
    # A record longer than the model's context is read up to it.
    lengths = [min(len(e.ids), size) for e in encoded]
    for batch in bucketed(lengths, token_budget(subject)):
        ids = pad_right([encoded[i].ids[:size] for i in batch], subject.device)
        found = torch.empty(*ids.shape, len(neurons))

        def keep(layer: int, found: Tensor = found):
            columns = [column[Neuron(layer, index)] for index in layers[layer]]

            def capture(x: Tensor) -> None:
                found[..., columns] = x[..., layers[layer]].float().cpu()

            return capture

        hooks = Hooks({subject.sites.mlps[layer].out: keep(layer) for layer in layers})
        zero = torch.zeros(1, dtype=torch.long, device=subject.device)
        logits_at(subject, ids, zero, zero, hooks)
        for row, i in enumerate(batch):
            rows[i] = found[row, : lengths[i]].numpy()
    return Activations(
        tuple(neurons),
        tuple(encoded),
        np.concatenate(rows),
        np.repeat(np.arange(len(encoded)), lengths),
        np.concatenate([np.arange(n) for n in lengths]),
        np.concatenate([_sensitive(e)[:n] for e, n in zip(encoded, lengths, strict=True)]),
    )


def mean_activations(
    subject: SubjectModel, records: Sequence[Record], neurons: Sequence[Neuron]
) -> dict[Neuron, float]:
    """Mean activation of each neuron over non-sensitive tokens: the value of a `mean` edit."""
    found = activations(subject, records, neurons)
    means = found.values[~found.sensitive].mean(0)
    return {n: float(m) for n, m in zip(neurons, means, strict=True)}


def activation_quantiles(
    subject: SubjectModel, records: Sequence[Record], neurons: Sequence[Neuron], quantile: float
) -> dict[Neuron, float]:
    """A quantile of each neuron over non-sensitive tokens: where a `cap` edit cuts."""
    found = activations(subject, records, neurons)
    values = np.quantile(found.values[~found.sensitive], quantile, axis=0)
    return {n: float(v) for n, v in zip(neurons, values, strict=True)}


def _sensitive(encoded: Encoded) -> Bool[np.ndarray, " token"]:
    marked = np.zeros(len(encoded.ids), bool)
    for span in encoded.spans:
        # The position before a token is where it is predicted, so that is where memory acts.
        marked[max(0, span.start - 1) : span.end] = True
    return marked
