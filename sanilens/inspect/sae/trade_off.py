"""What clamping some features takes away and what it costs, beside chance and the bake.

Chance: for each feature a random one among those that fire nearly as often, clamped to the same
value. At the same number of features, those that fire everywhere would seem to carry everything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from sanilens.audit.extraction import audit_spans
from sanilens.audit.summary import memory
from sanilens.audit.utility import perplexity
from sanilens.corpus.records import Record
from sanilens.inspect.sae.clamp import baked_features, clamped_features
from sanilens.inspect.sae.reading import feature_activations, read_site
from sanilens.inspect.sae.sae import Sae
from sanilens.model.hooks import Hooks
from sanilens.model.subject import SubjectModel

# Among so many features, those nearest in how often they fire, one is drawn.
_NEAREST = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the model still does.

    Attributes:
        direct, indirect: identifiers extracted greedily, by kind.
        asked: direct identifiers that only memory can give, extracted or not.
        perplexity: per token of text that nothing was chosen on.
    """

    direct: int
    indirect: int
    asked: int
    perplexity: float


def measure_outcome(
    subject: SubjectModel, hooks: Hooks, records: Sequence[Record], unseen: Sequence[Record]
) -> Outcome:
    """Audit `records` and read `unseen` under `hooks`."""
    asked = memory(audit_spans(subject, records, hooks=hooks))
    said = [v.kind for v in asked if v.extracted]
    cost = perplexity(subject, unseen, hooks=hooks).value
    direct = sum(v.kind == "direct" for v in asked)
    return Outcome(said.count("direct"), said.count("indirect"), direct, cost)


def clamped_outcome(
    subject: SubjectModel,
    sae: Sae,
    values: Mapping[int, float],
    records: Sequence[Record],
    unseen: Sequence[Record],
) -> Outcome:
    """With features clamped to `values` times the norm of what is read."""
    return measure_outcome(subject, clamped_features(subject, sae, values), records, unseen)


def baked_outcome(
    subject: SubjectModel,
    sae: Sae,
    features: Sequence[int],
    records: Sequence[Record],
    unseen: Sequence[Record],
) -> Outcome:
    """With the features' directions taken out of the weights that write them."""
    return measure_outcome(subject, baked_features(subject, sae, features), records, unseen)


def firing(
    subject: SubjectModel, sae: Sae, records: Sequence[Record]
) -> Float[np.ndarray, " feature"]:
    """Share of the records' tokens at which each feature fires."""
    read = read_site(subject, sae.site, records)
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
