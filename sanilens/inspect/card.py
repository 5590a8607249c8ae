"""A unit's card: where it fires, what it promotes, and how well it tells sensitive tokens apart.

The same for a neuron, a head and a feature. The first token of a record is never counted: nothing
precedes it, and heads act there as at no other place.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from sanilens.corpus.records import Record
from sanilens.inspect.activations import Activations, activations
from sanilens.inspect.direct import Tokens, direct_effect
from sanilens.inspect.examples import Context, Interval, intervals, strongest
from sanilens.inspect.firing import Share, auroc, firing_threshold, shares, usual_activation
from sanilens.inspect.readers import NO_SAES, Saes
from sanilens.model.subject import SubjectModel
from sanilens.model.units import Unit

Density = tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Card:
    """What one unit does over a corpus.

    Attributes:
        unit: the unit.
        tokens: how many tokens were looked at.
        threshold: it fires where its activation is above this.
        usual: what is to be expected of it: 0, or a head's mean on tokens that are not sensitive.
        firing: share of tokens on which it fires.
        precision: of the firing tokens, weighted by activation, the share that is sensitive.
        recall: share of the sensitive tokens on which it fires.
        base_rate: share of tokens that are sensitive: what precision would be by chance.
        auroc: probability that a random sensitive token activates it more than another token.
        density: histogram edges, and share of sensitive and of other tokens per bin.
        contexts: the strongest places, one a record, strongest first.
        intervals: examples of every range of its activation, the highest range first.
        labels, subjects: how much it fires on the sensitive tokens of each, most first.
        promoted, suppressed: tokens whose logits its write raises and lowers most (direct.py); none
            where the architecture does not tell.
    """

    unit: Unit
    tokens: int
    threshold: float
    usual: float
    firing: float
    precision: float
    recall: float
    base_rate: float
    auroc: float
    density: Density
    contexts: tuple[Context, ...]
    intervals: tuple[Interval, ...]
    labels: tuple[Share, ...]
    subjects: tuple[Share, ...]
    promoted: Tokens
    suppressed: Tokens

    def level(self, activation: float) -> float:
        """An activation between the usual one, 0, and the highest, 1."""
        room = self.contexts[0].activation - self.usual if self.contexts else 0.0
        return min(max((activation - self.usual) / room, 0.0), 1.0) if room > 0 else 0.0

    @property
    def firing_elsewhere(self) -> float:
        """Share of the tokens that are not sensitive on which it fires."""
        other = self.firing - self.base_rate * self.recall
        return max(0.0, other / (1 - self.base_rate)) if self.base_rate < 1 else 0.0


def unit_card(
    subject: SubjectModel,
    records: Sequence[Record],
    unit: Unit,
    saes: Saes = NO_SAES,
    *,
    top: int = 8,
) -> Card:
    """Describe a unit over `records`; `saes` hold a feature's autoencoder.

    Raises:
        PlanError: if neither the model nor one of `saes` has the unit.
    """
    found = activations(subject, records, [unit], saes)
    return card_of(subject, found, unit, saes, top=top)


def card_of(
    subject: SubjectModel,
    found: Activations,
    unit: Unit,
    saes: Saes = NO_SAES,
    *,
    top: int = 8,
) -> Card:
    """Describe a unit from activations that were read before."""
    every = found.of(unit)
    values, sensitive = every[found.counted], found.sensitive[found.counted]
    threshold = firing_threshold(unit, float(values.max()))
    fires = values > threshold
    mass = np.where(fires, values, 0.0)
    contexts = strongest(found, every, top)
    encoded = {e.record.id: e for e in found.encoded}
    places = [(encoded[c.record], c.position) for c in contexts]
    can_tell = "direct" not in subject.sites.limits
    promoted, suppressed = direct_effect(subject, unit, places, saes) if can_tell else ((), ())
    return Card(
        unit=unit,
        tokens=len(values),
        threshold=threshold,
        usual=usual_activation(unit, values, sensitive),
        firing=float(fires.mean()),
        precision=float(mass[sensitive].sum() / max(mass.sum(), 1e-12)),
        recall=float(fires[sensitive].mean()) if sensitive.any() else 0.0,
        base_rate=float(sensitive.mean()),
        auroc=auroc(values, sensitive),
        density=_density(values, sensitive),
        contexts=contexts,
        intervals=intervals(found, every, threshold),
        labels=shares(found.labels[found.counted], mass, sensitive),
        subjects=shares(found.subjects[found.counted], mass, sensitive),
        promoted=promoted,
        suppressed=suppressed,
    )


def _density(
    values: Float[np.ndarray, " n"], sensitive: Bool[np.ndarray, " n"], bins: int = 40
) -> Density:
    edges = np.histogram_bin_edges(values, bins)
    parts = [
        np.histogram(part, edges)[0] / max(1, len(part))
        for part in (values[sensitive], values[~sensitive])
    ]
    return tuple(edges.tolist()), tuple(parts[0].tolist()), tuple(parts[1].tolist())
