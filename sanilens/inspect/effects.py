"""Exact effects of the units that a localiser ranks highest, beside random units'."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from sanilens.corpus.records import Record
from sanilens.inspect.ablate import single_effects
from sanilens.inspect.scores import random_like
from sanilens.model.subject import SubjectModel
from sanilens.model.units import LayerUnit


@dataclass(frozen=True, slots=True)
class TopEffects:
    """Change of a span's log p, in nats, when each unit alone is zeroed.

    `random` are units of the same layers, as many in each as among the strongest of `units`.
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
    units: Sequence[LayerUnit],
    *,
    draws: int = 5,
    seed: int = 0,
) -> TopEffects:
    """Zero each unit alone, and `draws` random ones, in one batch."""
    control = random_like(subject.sites, units[:draws], seed)
    found = single_effects(subject, record, span_id, [*units, *control])
    return TopEffects(tuple(found[: len(units)]), tuple(found[len(units) :]))
