"""A sample of records that keeps every unit's activations, so that any unit's card is instant."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float

from sanilens.corpus.records import Record
from sanilens.dictionaries.sae.sae import Sae
from sanilens.inspect.units.activations import Activations, activations
from sanilens.inspect.units.card import Card, card_of, firing_threshold, strongest_labels
from sanilens.inspect.units.readers import Saes, find_sae
from sanilens.model.align import Encoded, encode
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import Feature, Head, Unit, UnitKind, kind_of, layer_unit

# Activations of a small model's 50 notes; a large model is looked at unit by unit.
_MOST_VALUES = 50_000_000


@dataclass(frozen=True, slots=True)
class UnitTable:
    """For every unit of a kind, in order, the share of tokens on which it fires.

    One that never fires is dead on this sample. `mean` and `deviation` are of the activation.
    """

    units: tuple[Unit, ...]
    firing: Float[np.ndarray, " unit"]
    mean: Float[np.ndarray, " unit"]
    deviation: Float[np.ndarray, " unit"]


@dataclass(frozen=True, slots=True)
class Sample:
    """Records, and what units do on them.

    `kept` holds the activations of all neurons and heads, and of the features of the autoencoders
    `saes`, where they fit in memory; for other units each question runs the records again.
    """

    model: LanguageModel
    records: tuple[Record, ...]
    encoded: Mapping[str, Encoded]
    kept: tuple[Activations, ...] = ()
    saes: Saes = field(default_factory=dict)

    def with_sae(self, sae: Sae) -> "Sample":
        """The same sample, with an autoencoder's features added."""
        wider = replace(self, saes={**self.saes, sae.id: sae})
        features = [Feature(sae.id, i) for i in range(sae.width)]
        return replace(wider, kept=self.kept + wider.read(features))

    def of(self, units: Sequence[Unit]) -> Activations:
        """The activations of some units."""
        for kept in self.kept:
            if all(unit in kept.columns for unit in units):
                return kept.only(units)
        return activations(self.model, self.records, units, self.saes)

    def card(self, unit: Unit, *, top: int = 8) -> Card:
        """The unit's card over these records; the same as `unit_card` gives."""
        return card_of(self.model, self.of([unit]), unit, self.saes, top=top)

    def fires_on(self, units: Sequence[Unit]) -> list[tuple[str, ...]]:
        """For each unit, the labels that make up at least a quarter of its strongest hundredth."""
        found = self.of(units)
        named = (strongest_labels(found, unit) for unit in units)
        return [tuple(name for name, share in labels if share >= 0.25) for labels in named]

    def peers(self, unit: Unit) -> tuple[Unit, ...]:
        """All units of its kind: neurons, heads, or features of its autoencoder."""
        if isinstance(unit, Feature):
            width = find_sae(self.saes, [unit]).width
            return tuple(Feature(unit.sae, i) for i in range(width))
        return every_unit(self.model, kind_of(unit))

    def table(self, units: tuple[Unit, ...]) -> UnitTable:
        """How often and how strongly each of some units of one kind fires."""
        threshold = np.zeros(len(units))
        if isinstance(units[0], Head):  # its threshold follows from its highest: read twice
            highest = np.max([values.max(0) for values in self._blocks(units)], axis=0)
            threshold = firing_threshold(units[0], 1.0) * highest
        count, fires, total, squares = 0, threshold * 0, threshold * 0, threshold * 0
        for values in self._blocks(units):
            count += len(values)
            fires += (values > threshold).sum(0)
            total += values.sum(0)
            squares += np.einsum("tu,tu->u", values, values)
        mean = total / count
        deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
        return UnitTable(units, fires / count, mean, deviation)

    def correlated(
        self, unit: Unit, table: UnitTable, count: int = 6
    ) -> tuple[tuple[Unit, float], ...]:
        """Units of `table` whose activation goes with the unit's: highest |Pearson r| first.

        r(u, v) = sum_t (u_t - mean u) (v_t - mean v) / (T s_u s_v),  over the sample's tokens
        """
        own = self.of([unit])
        values = own.of(unit)[own.counted]
        centred = values - values.mean()
        product, start = 0.0, 0
        for block in self._blocks(table.units):
            product = product + centred[start : start + len(block)] @ block
            start += len(block)
        with np.errstate(divide="ignore", invalid="ignore"):
            r = np.nan_to_num(product / (start * table.deviation * values.std()))
        r[table.units.index(unit)] = 0.0
        order = np.argsort(-np.abs(r), kind="stable")[:count]
        return tuple((table.units[i], float(r[i])) for i in order if r[i])

    def read(self, units: Sequence[Unit]) -> tuple[Activations, ...]:
        """The activations of many units, kept; nothing where they do not fit in memory."""
        if self._tokens() * len(units) > _MOST_VALUES:
            return ()
        return (activations(self.model, self.records, units, self.saes),)

    def _tokens(self) -> int:
        return sum(min(len(e.ids), self.model.max_tokens) for e in self.encoded.values())

    def _blocks(self, units: Sequence[Unit]) -> Iterator[Float[np.ndarray, "token unit"]]:
        """Activations of neighbouring units at the counted tokens, as many records as fit."""
        for kept in self.kept:
            if units[0] in kept.columns:
                first = kept.columns[units[0]]
                yield kept.values[kept.counted, first : first + len(units)]
                return
        longest = max(len(e.ids) for e in self.encoded.values())
        step = max(1, _MOST_VALUES // (len(units) * longest))
        for start in range(0, len(self.records), step):
            records = self.records[start : start + step]
            found = activations(self.model, records, units, self.saes)
            yield found.values[found.counted]


def every_unit(model: LanguageModel, kind: UnitKind) -> tuple[Unit, ...]:
    """All units of a kind, layer after layer."""
    sites = model.sites
    return tuple(
        layer_unit(kind, i, j) for i in range(sites.n_layers) for j in range(sites.count(kind))
    )


def take_sample(model: LanguageModel, records: Sequence[Record], most: int = 48) -> Sample:
    """Up to `most` records, evenly over the corpus, read once."""
    step = max(1, -(-len(records) // most))
    chosen = tuple(records[::step])
    sample = Sample(model, chosen, {record.id: encode(model, record) for record in chosen})
    every = (*every_unit(model, "mlp"), *every_unit(model, "head"))
    return replace(sample, kept=sample.read(every))
