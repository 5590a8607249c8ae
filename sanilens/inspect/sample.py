"""A sample of records with every neuron's activations kept, so that a unit is described at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sanilens.corpus.records import Record
from sanilens.inspect.activations import Activations, activations
from sanilens.inspect.card import Card, card_of, strongest_labels
from sanilens.model.align import Encoded, encode
from sanilens.model.subject import SubjectModel
from sanilens.model.units import Neuron

# Activations of a small model's 50 notes; a large model is looked at unit by unit.
_MOST_VALUES = 50_000_000


@dataclass(frozen=True, slots=True)
class Sample:
    """Records, and what some neurons do on them.

    `kept` is of all neurons where that fits in memory, else None: then each question runs the
    records again.
    """

    subject: SubjectModel
    records: tuple[Record, ...]
    encoded: Mapping[str, Encoded]
    kept: Activations | None

    def of(self, neurons: Sequence[Neuron]) -> Activations:
        """The activations of some neurons."""
        if self.kept is None:
            return activations(self.subject, self.records, neurons)
        width = self.subject.sites.d_mlp
        columns = [n.layer * width + n.index for n in neurons]
        k = self.kept
        return Activations(
            tuple(neurons), k.encoded, k.values[:, columns], k.record, k.position, k.sensitive
        )

    def card(self, unit: Neuron, *, top: int = 8) -> Card:
        """The unit's card over these records; the same as `unit_card` gives."""
        found = self.of([unit])
        return card_of(self.subject, found, unit, top=top)

    def fires_on(self, neurons: Sequence[Neuron]) -> list[tuple[str, ...]]:
        """For each neuron the labels that make up a quarter of its strongest hundredth, or more."""
        found = self.of(neurons)
        strongest = max(1, len(found.record) // 100)
        named = (strongest_labels(found, found.of(neuron)) for neuron in neurons)
        return [tuple(name for name, n in labels if 4 * n >= strongest) for labels in named]

    def means(self, neurons: Sequence[Neuron]) -> dict[Neuron, float]:
        """Mean activation over non-sensitive tokens: the value of a `mean` edit."""
        found = self.of(neurons)
        values = found.values[~found.sensitive].mean(0)
        return {n: float(v) for n, v in zip(neurons, values, strict=True)}

    def quantiles(self, neurons: Sequence[Neuron], quantile: float) -> dict[Neuron, float]:
        """A quantile over non-sensitive tokens: where a `cap` edit cuts."""
        found = self.of(neurons)
        values = np.quantile(found.values[~found.sensitive], quantile, axis=0)
        return {n: float(v) for n, v in zip(neurons, values, strict=True)}


def take_sample(subject: SubjectModel, records: Sequence[Record], most: int = 48) -> Sample:
    """Up to `most` records, evenly over the corpus, read once."""
    step = max(1, -(-len(records) // most))
    chosen = tuple(records[::step])
    sites = subject.sites
    every = [Neuron(i, j) for i in range(sites.n_layers) for j in range(sites.d_mlp)]
    encoded = {record.id: encode(subject, record) for record in chosen}
    tokens = sum(min(len(e.ids), subject.max_tokens) for e in encoded.values())
    fits = tokens * len(every) <= _MOST_VALUES
    kept = activations(subject, chosen, every) if fits else None
    return Sample(subject, chosen, encoded, kept)
