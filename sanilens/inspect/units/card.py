"""A unit's card: where it fires and on what, what it promotes, and which people it tells apart."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from sanilens.corpus.records import Record
from sanilens.inspect.units.activations import Activations, activations
from sanilens.inspect.units.direct_logits import Tokens, direct_effect
from sanilens.inspect.units.examples import Context, Interval, intervals, strongest
from sanilens.inspect.units.readers import NO_SAES, Saes
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import Head, Unit

# A head always writes something: it fires where it writes more than half of its most.
HEAD_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Share:
    """A label or subject: its sensitive tokens, the share of them on which the unit fires, and
    the share of the unit's activation on sensitive tokens that falls on them."""

    name: str
    tokens: int
    firing: float
    mass: float


def firing_threshold(unit: Unit, highest: float) -> float:
    """The activation above which a unit fires: 0, or half of a head's highest."""
    return HEAD_SHARE * highest if isinstance(unit, Head) else 0.0


def usual_activation(
    unit: Unit, values: Float[np.ndarray, " n"], sensitive: Bool[np.ndarray, " n"]
) -> float:
    """0, or a head's mean on other tokens, from which its activation is told apart."""
    if not isinstance(unit, Head) or sensitive.all():
        return 0.0
    return float(values[~sensitive].mean())


def shares(
    names: np.ndarray, mass: Float[np.ndarray, " n"], sensitive: Bool[np.ndarray, " n"]
) -> tuple[Share, ...]:
    """Of each name among the sensitive tokens, most activation first; `mass` is 0 where silent."""
    total = max(float(mass[sensitive].sum()), 1e-12)
    found: list[Share] = []
    for name in np.unique(names[sensitive]):
        own = mass[sensitive & (names == name)]
        fires, part = float((own > 0).mean()), float(own.sum()) / total
        found.append(Share(str(name), len(own), fires, part))
    return tuple(sorted(found, key=lambda share: (-share.mass, share.name)))


def auroc(values: Float[np.ndarray, " n"], positive: Bool[np.ndarray, " n"]) -> float:
    """Area under the ROC curve by ranks, ties counted half; 0.5 where one class is absent."""
    count = int(positive.sum())
    if count in (0, len(values)):
        return 0.5
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (counts.cumsum() - (counts - 1) / 2)[inverse]
    above = ranks[positive].sum() - count * (count + 1) / 2
    return float(above / (count * (len(values) - count)))


def strongest_labels(found: Activations, unit: Unit) -> tuple[tuple[str, float], ...]:
    """The label mix of the strongest hundredth of the unit's tokens, as shares."""
    values = np.where(found.counted, found.of(unit), -np.inf)
    count = max(1, int(found.counted.sum()) // 100)
    strong = np.argpartition(-values, count - 1)[:count]
    counts = Counter(found.labels[strong[found.sensitive[strong]]].tolist())
    return tuple((name, n / count) for name, n in counts.most_common())


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
    model: LanguageModel,
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
    found = activations(model, records, [unit], saes)
    return card_of(model, found, unit, saes, top=top)


def card_of(
    model: LanguageModel,
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
    can_tell = "direct" not in model.sites.limits
    promoted, suppressed = direct_effect(model, unit, places, saes) if can_tell else ((), ())
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
