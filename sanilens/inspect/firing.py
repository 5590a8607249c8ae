"""When a unit fires, and on what: sensitive tokens, labels, subjects."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from sanilens.inspect.activations import Activations
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
    """Labels among the strongest hundredth of the unit's tokens: the share of that each is."""
    values = np.where(found.counted, found.of(unit), -np.inf)
    count = max(1, int(found.counted.sum()) // 100)
    strong = np.argpartition(-values, count - 1)[:count]
    counts = Counter(found.labels[strong[found.sensitive[strong]]].tolist())
    return tuple((name, n / count) for name, n in counts.most_common())
