"""Selective pruning: how much stronger the unit is on the spans than on other text.

    A(n) = I_targets(n) / (I_neutral(n) + eps),    I = mean over positions of |a_n|,  eps = 1e-3

(arXiv 2403.01267); for a head |a| is the norm of its vector. Neutral positions are those of the
same records that predict no sensitive token. Forward passes only.
"""

import torch

from sanilens.audit.targets import Targets
from sanilens.inspect.locate.localisers.captured import at_targets
from sanilens.inspect.locate.localisers.localiser import Localiser, Settings
from sanilens.inspect.locate.scores import UnitScores

_EPS = 1e-3
_NEUTRAL = 4.0


def selective_pruning(targets: Targets, settings: Settings) -> UnitScores:
    """Score every unit; see the module's equation. Without neutral text, its mean counts as 0."""
    model, kind = targets.model, settings.kind
    shape = (2, model.sites.n_layers, model.sites.count(kind))
    sums, counts = torch.zeros(shape), [0, 0]
    batches = targets.batches(neutral=_NEUTRAL, seed=settings.seed)
    for number, batch in enumerate(batches, start=1):
        n, size = batch.targets, model.sites.size(kind)
        for layer, values in enumerate(at_targets(model, batch, kind)):
            strength = values.unflatten(-1, (-1, size)).norm(dim=-1).cpu()
            sums[0, layer] += strength[:n].sum(0)
            sums[1, layer] += strength[n:].sum(0)
        counts = [counts[0] + n, counts[1] + len(batch.rows) - n]
        settings.progress(number, targets.n_batches)
    ratio = (sums[0] / counts[0]) / (sums[1] / max(1, counts[1]) + _EPS)
    return UnitScores("selective-pruning", kind, ratio, targets.spans)


SELECTIVE_PRUNING = Localiser(
    "selective-pruning",
    "how much stronger it is on the span than on other text",
    "seconds",
    selective_pruning,
)
