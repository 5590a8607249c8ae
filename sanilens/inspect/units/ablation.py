"""Exact ablation: what the model makes of a span without some units, or without each of many.

What a model still does without some units is a measurement like any other, under `without`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from sanilens.audit.passages import make_passages
from sanilens.corpus.records import Record
from sanilens.dictionaries.sae.clamp import clamped_features, cleared_per_row
from sanilens.inspect.controls import random_like
from sanilens.inspect.units.readers import NO_SAES, Saes, find_sae
from sanilens.model.batches import pad_right, token_budget
from sanilens.model.forward import logits_at
from sanilens.model.hooks import Hooks
from sanilens.model.interventions import zeroed, zeroed_per_row
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import Feature, Unit


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model makes of one span: its log-probability in nats, and whether it says it.

    It says it if greedy decoding produces exactly the span after its prefix.
    """

    logprob: float
    said: bool


def answers_without(
    model: LanguageModel,
    record: Record,
    span_id: str,
    sets: Sequence[Sequence[Unit]],
    saes: Saes = NO_SAES,
) -> list[Answer]:
    """What the model makes of a span with each set of units zeroed, and no other.

    A batch holds the record once for every set, each row without another one. The units are the
    model's own, or features of one autoencoder among `saes`; an empty set is the model as it is.
    """
    passage, target = next(
        (p, t)
        for p in make_passages(model, [record])
        for t in p.targets
        if record.span_id(t.span.span) == span_id
    )
    ids = passage.ids[: target.end]
    columns = list(range(max(target.start, 1), target.end))
    size = max(1, token_budget(model) // len(ids))
    answers: list[Answer] = []
    for start in range(0, len(sets), size):
        part = sets[start : start + size]
        answers += _answers(model, ids, columns, len(part), _without_per_row(model, part, saes))
    return answers


def _without_per_row(model: LanguageModel, sets: Sequence[Sequence[Unit]], saes: Saes) -> Hooks:
    own = [[unit for unit in units if not isinstance(unit, Feature)] for units in sets]
    features = [[unit for unit in units if isinstance(unit, Feature)] for units in sets]
    every = [feature for each in features for feature in each]
    if not every:
        return zeroed_per_row(model, own)
    if any(own) or len({feature.sae for feature in every}) > 1:
        raise ValueError("features of one autoencoder, or units of the model: not both at once")
    indices = [[feature.index for feature in each] for each in features]
    return cleared_per_row(model, find_sae(saes, every), indices)


@torch.inference_mode()
def _answers(
    model: LanguageModel, ids: tuple[int, ...], columns: list[int], rows: int, hooks: Hooks
) -> list[Answer]:
    batch = pad_right([ids] * rows, model.device)
    row = torch.arange(rows, device=model.device).repeat_interleave(len(columns))
    column = torch.tensor(columns, device=model.device).repeat(rows)
    model.require_causal("Zeroing units")
    logits = logits_at(model, batch, row, column - 1, hooks)
    true = batch[row, column]
    said = (logits.argmax(-1) == true).view(rows, len(columns)).all(1).tolist()
    found = logits.log_softmax(-1).gather(1, true[:, None]).view(rows, len(columns)).sum(1)
    return [Answer(*each) for each in zip(found.tolist(), said, strict=True)]


def single_effects(
    model: LanguageModel,
    record: Record,
    span_id: str,
    units: Sequence[Unit],
    saes: Saes = NO_SAES,
) -> list[float]:
    """Change of a span's log-probability, in nats, when each unit alone is zeroed."""
    sets: list[list[Unit]] = [[], *([unit] for unit in units)]
    before, *after = answers_without(model, record, span_id, sets, saes)
    return [each.logprob - before.logprob for each in after]


def without(model: LanguageModel, units: Sequence[Unit], saes: Saes = NO_SAES) -> Hooks:
    """Hooks that set units to zero wherever they act: the model's own, or one autoencoder's."""
    features = [unit for unit in units if isinstance(unit, Feature)]
    if features:
        gone = {feature.index: 0.0 for feature in features}
        return clamped_features(model, find_sae(saes, features), gone)
    return zeroed(model, [unit for unit in units if not isinstance(unit, Feature)])


@dataclass(frozen=True, slots=True)
class TopEffects:
    """Change of a span's log p, in nats, when each unit alone is zeroed.

    `random` are units of the same layers (or autoencoder), as many in each as among the strongest
    of `units`.
    """

    units: tuple[float, ...]
    random: tuple[float, ...]

    @property
    def band(self) -> tuple[float, float] | None:
        """Between what the control's units do: 0 of them are no band."""
        return (min(self.random), max(self.random)) if self.random else None


def top_effects(
    model: LanguageModel,
    record: Record,
    span_id: str,
    units: Sequence[Unit],
    saes: Saes = NO_SAES,
    *,
    draws: int = 20,
    seed: int = 0,
) -> TopEffects:
    """Zero each unit alone, and `draws` random ones, in one batch."""
    widths = {name: sae.width for name, sae in saes.items()}
    control = random_like(model.sites, units[:draws], seed, widths=widths)
    found = single_effects(model, record, span_id, [*units, *control], saes)
    return TopEffects(tuple(found[: len(units)]), tuple(found[len(units) :]))
