"""What clamping some features takes away and what it costs, beside chance and the bake.

Chance: for each feature a random one among those that fire nearly as often, clamped to the same
value. At the same number of features, those that fire everywhere would seem to carry everything.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
from jaxtyping import Float
from pydantic import TypeAdapter, ValidationError
from scipy.stats import t

from sanilens.atomic import write_text
from sanilens.audit.measurement import measure
from sanilens.audit.metrics.metric import Exam
from sanilens.corpus.records import Record
from sanilens.dictionaries.reading import feature_activations, read_site
from sanilens.dictionaries.sae.clamp import baked_features, clamped_features
from sanilens.dictionaries.sae.sae import Sae
from sanilens.errors import ModelError
from sanilens.model.files import read_object
from sanilens.model.forward import remembering
from sanilens.model.hooks import Hooks
from sanilens.model.language_model import LanguageModel

_FILE = "clamp.json"
# How many of the chosen features the curve stops at.
_CURVE = (1, 2, 3, 5, 8, 12, 16, 20)
# Among so many features, those nearest in how often they fire, one is drawn.
_NEAREST = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """A point of the curve: what a measurement says of a clamp, and no more.

    It is kept beside the autoencoder, in files that count indirect spans but not how many there
    are, so a whole measurement cannot be read from them.

    Attributes:
        direct, indirect: identifiers extracted greedily, by kind.
        asked: direct identifiers that only memory can give, extracted or not.
        perplexity: per token of text that nothing was chosen on.
    """

    direct: int
    indirect: int
    asked: int
    perplexity: float


@dataclass(frozen=True, slots=True)
class Chance:
    """As many other features that fire as often, clamped to the same values.

    `low` and `high` are the 95 % interval of the mean of `direct` over the draws (Student's t).
    """

    draws: tuple[Outcome, ...]
    direct: float
    low: float
    high: float
    perplexity: float


@dataclass(frozen=True, slots=True)
class TradeOff:
    """What the clamp of chosen features does.

    Attributes:
        before: the untouched model.
        clamped: the chosen features, the most important first, with the value of each.
        curve: by how many of the first of them are clamped, what is left.
        after: with all of them.
        chance: random ones.
        zeroed: the same features clamped to 0.
        baked: their directions taken out of the weights instead.
    """

    before: Outcome
    clamped: dict[int, float]
    curve: dict[int, Outcome]
    after: Outcome
    chance: Chance
    zeroed: Outcome
    baked: Outcome

    @property
    def left(self) -> float:
        """Share of the direct identifiers said before that are still said; NaN if none was."""
        return self.after.direct / self.before.direct if self.before.direct else math.nan

    @property
    def rise(self) -> float:
        """Of the perplexity on unseen text."""
        return self.after.perplexity / self.before.perplexity - 1

    def reaches(self, left: float = 0.5, rise: float = 0.05) -> bool:
        """Whether so few are left at so little cost."""
        return self.left <= left and self.rise <= rise


_SAVED: TypeAdapter[TradeOff] = TypeAdapter(TradeOff)


def measure_trade_off(
    model: LanguageModel,
    sae: Sae,
    values: Mapping[int, float],
    records: Sequence[Record],
    unseen: Sequence[Record],
    *,
    draws: int = 5,
) -> TradeOff:
    """Measure a clamp, on text on which it was not chosen.

    Args:
        model: the model.
        sae: its autoencoder.
        values: the features, the most important first, and what each is clamped to.
        records: what the model must not say.
        unseen: text on which the cost is told.
        draws: of random features, at least 2.
    """
    quick = remembering(model, sae.site.layer)

    def outcome(clamped: Mapping[int, float]) -> Outcome:
        return clamped_outcome(quick, sae, clamped, records, unseen)

    items = list(values.items())
    counts = sorted({n for n in (*_CURVE, len(items)) if 0 < n <= len(items)})
    curve = {n: outcome(dict(items[:n])) for n in counts}
    before = outcome({})
    rates = firing(model, sae, records)
    return TradeOff(
        before=before,
        clamped=dict(values),
        curve=curve,
        after=curve[len(items)] if items else before,
        chance=_chance([outcome(random_alike(rates, values, seed)) for seed in range(draws)]),
        zeroed=outcome(dict.fromkeys(values, 0.0)),
        baked=baked_outcome(model, sae, list(values), records, unseen),
    )


def _chance(draws: Sequence[Outcome]) -> Chance:
    direct = [draw.direct for draw in draws]
    half = float(t.ppf(0.975, len(direct) - 1)) * stdev(direct) / len(direct) ** 0.5
    mean = fmean(direct)
    cost = fmean(draw.perplexity for draw in draws)
    return Chance(tuple(draws), mean, mean - half, mean + half, cost)


def save_trade_off(found: TradeOff, folder: Path) -> None:
    """Keep it beside the autoencoder."""
    write_text(folder / _FILE, _SAVED.dump_json(found, indent=1).decode() + "\n")


def parse_trade_off(fields: Mapping[str, Any]) -> TradeOff:
    """What `sanilens sae clamp --json` printed."""
    return _SAVED.validate_python(fields)


def load_trade_off(folder: Path) -> TradeOff | None:
    """What was kept beside an autoencoder; None where nothing was.

    Raises:
        ModelError: if the file is malformed.
    """
    if not (folder / _FILE).exists():
        return None
    fields = read_object(folder, _FILE)
    try:
        return _SAVED.validate_python(fields)
    except ValidationError as error:
        field = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, field["loc"])) or "file"
        raise ModelError(f"{folder.name}: {_FILE}: {where}: {field['msg']}.") from None


def measure_outcome(
    model: LanguageModel, hooks: Hooks, records: Sequence[Record], unseen: Sequence[Record]
) -> Outcome:
    """Audit `records` and read `unseen` under `hooks`."""
    found = measure(model, Exam(records, unseen=unseen), hooks=hooks)
    direct, indirect = (found.extraction[kind] for kind in ("direct", "indirect"))
    return Outcome(direct.hits, indirect.hits, direct.n, found.figure("perplexity_unseen"))


def clamped_outcome(
    model: LanguageModel,
    sae: Sae,
    values: Mapping[int, float],
    records: Sequence[Record],
    unseen: Sequence[Record],
) -> Outcome:
    """With features clamped to `values` times the norm of what is read."""
    return measure_outcome(model, clamped_features(model, sae, values), records, unseen)


def baked_outcome(
    model: LanguageModel,
    sae: Sae,
    features: Sequence[int],
    records: Sequence[Record],
    unseen: Sequence[Record],
) -> Outcome:
    """With the features' directions taken out of the weights that write them."""
    return measure_outcome(model, baked_features(model, sae, features), records, unseen)


def firing(
    model: LanguageModel, sae: Sae, records: Sequence[Record]
) -> Float[np.ndarray, " feature"]:
    """Share of the records' tokens at which each feature fires."""
    read = read_site(model, sae.site, records)
    return (feature_activations(sae, read.values) > 0).float().mean(0).numpy()


def random_alike(
    rates: Float[np.ndarray, " feature"], values: Mapping[int, float], seed: int
) -> dict[int, float]:
    """Other features that fire nearly as often, one for each of `values`, with its value."""
    rng = np.random.default_rng(seed)
    free = np.setdiff1d(np.arange(len(rates)), list(values))
    drawn: dict[int, float] = {}
    for feature, value in values.items():
        order = np.argsort(np.abs(rates[free] - rates[feature]), kind="stable")
        other = int(rng.choice(free[order[:_NEAREST]]))
        free = free[free != other]
        drawn[other] = value
    return drawn
