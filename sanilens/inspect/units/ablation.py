"""Exact ablation of single units: how a span's log-probability changes without each of them.

What a model still does without some units is a measurement like any other, under `without`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

import torch

from sanilens.audit.passages import make_passages
from sanilens.corpus.records import Record
from sanilens.dictionaries.sae.clamp import clamped_features, one_cleared_per_row
from sanilens.inspect.controls import random_like
from sanilens.inspect.units.readers import NO_SAES, Saes, find_sae
from sanilens.model.batches import pad_right, token_budget
from sanilens.model.forward import token_logprobs
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.interventions import one_zeroed_per_row, zeroed
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import Feature, Unit


def single_effects(
    model: LanguageModel,
    record: Record,
    span_id: str,
    units: Sequence[Unit],
    saes: Saes = NO_SAES,
) -> list[float]:
    """Change of a span's log-probability, in nats, when each unit alone is zeroed.

    One batch holds the record once for every unit, each row without another one. The units are
    the model's own, or features of one autoencoder among `saes`.
    """
    passage, target = next(
        (p, t)
        for p in make_passages(model, [record])
        for t in p.targets
        if record.span_id(t.span.span) == span_id
    )
    ids = passage.ids[: target.end]
    columns = list(range(max(target.start, 1), target.end))
    before = _span_logprobs(model, ids, columns, 1, NO_HOOKS)[0]
    size = max(1, token_budget(model) // len(ids))
    changes: list[float] = []
    for start in range(0, len(units), size):
        part = list(units[start : start + size])
        hooks = _one_without_per_row(model, part, saes)
        after = _span_logprobs(model, ids, columns, len(part), hooks)
        changes += [value - before for value in after]
    return changes


def _one_without_per_row(model: LanguageModel, units: Sequence[Unit], saes: Saes) -> Hooks:
    features = [unit for unit in units if isinstance(unit, Feature)]
    if not features:
        own = [unit for unit in units if not isinstance(unit, Feature)]
        return one_zeroed_per_row(model, own)
    if len(features) < len(units) or len({feature.sae for feature in features}) > 1:
        raise ValueError("features of one autoencoder, or units of the model: not both at once")
    return one_cleared_per_row(model, find_sae(saes, features), [f.index for f in features])


def _span_logprobs(
    model: LanguageModel, ids: tuple[int, ...], columns: list[int], rows: int, hooks: Hooks
) -> list[float]:
    batch = pad_right([ids] * rows, model.device)
    row = torch.arange(rows, device=model.device).repeat_interleave(len(columns))
    column = torch.tensor(columns, device=model.device).repeat(rows)
    found = token_logprobs(model, batch, row, column, hooks)
    return found.view(rows, len(columns)).sum(1).tolist()


def without(model: LanguageModel, unit: Unit, saes: Saes = NO_SAES) -> Hooks:
    """Hooks that set the unit to zero wherever it acts."""
    if isinstance(unit, Feature):
        return clamped_features(model, find_sae(saes, [unit]), {unit.index: 0.0})
    return zeroed(model, [unit])


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
    model: LanguageModel,
    record: Record,
    span_id: str,
    units: Sequence[Unit],
    saes: Saes = NO_SAES,
    *,
    draws: int = 5,
    seed: int = 0,
) -> TopEffects:
    """Zero each unit alone, and `draws` random ones, in one batch."""
    widths = {name: sae.width for name, sae in saes.items()}
    control = random_like(model.sites, units[:draws], seed, widths=widths)
    found = single_effects(model, record, span_id, [*units, *control], saes)
    return TopEffects(tuple(found[: len(units)]), tuple(found[len(units) :]))
