"""Exact effects of the units that a localiser ranks highest, beside random units'."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

import numpy as np

from sanilens.corpus.records import Record
from sanilens.inspect.ablate import single_effects
from sanilens.inspect.readers import NO_SAES, Saes, find_sae
from sanilens.inspect.scores import random_like
from sanilens.model.subject import SubjectModel
from sanilens.model.units import Feature, Unit


@dataclass(frozen=True, slots=True)
class TopEffects:
    """Change of a span's log p, in nats, when each unit alone is zeroed.

    `random` are units of the same layers (or autoencoder), as many in each as among the strongest
    of `units`.
    """

    units: tuple[float, ...]
    random: tuple[float, ...]

    @property
    def random_mean(self) -> float:
        """The control's mean."""
        return fmean(self.random) if self.random else 0.0

    @property
    def random_deviation(self) -> float:
        """The control's standard deviation over its units."""
        return stdev(self.random) if len(self.random) > 1 else 0.0


def top_effects(
    subject: SubjectModel,
    record: Record,
    span_id: str,
    units: Sequence[Unit],
    saes: Saes = NO_SAES,
    *,
    draws: int = 5,
    seed: int = 0,
) -> TopEffects:
    """Zero each unit alone, and `draws` random ones, in one batch."""
    control = _control(subject, units[:draws], saes, seed)
    found = single_effects(subject, record, span_id, [*units, *control], saes)
    return TopEffects(tuple(found[: len(units)]), tuple(found[len(units) :]))


def _control(subject: SubjectModel, units: Sequence[Unit], saes: Saes, seed: int) -> Sequence[Unit]:
    features = [unit for unit in units if isinstance(unit, Feature)]
    if not features:
        own = [unit for unit in units if not isinstance(unit, Feature)]
        return random_like(subject.sites, own, seed)
    sae, taken = find_sae(saes, features), {feature.index for feature in features}
    free = [i for i in range(sae.width) if i not in taken]
    drawn = np.random.default_rng(seed).choice(free, min(len(taken), len(free)), replace=False)
    return [Feature(sae.id, int(i)) for i in sorted(drawn)]
