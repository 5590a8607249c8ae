"""Activations: how much the unit writes where the span is predicted, whatever it writes.

    A(n) = (1/T) sum_t |h_{n,t}| * ||v_n||        for a head:  (1/T) sum_t ||z_{h,t} W_O^h||

over the T positions that predict the targets (Chang et al., arXiv 2311.09060, ACTIVATIONS). Blind
to what the span says, it is known to do little better than chance.
"""

import torch

from sanilens.audit.targets import Targets
from sanilens.inspect.locate.localisers.captured import at_targets
from sanilens.inspect.locate.localisers.localiser import Localiser, Settings
from sanilens.inspect.locate.scores import UnitScores
from sanilens.model.parameters import write_norms


def activation_norm(targets: Targets, settings: Settings) -> UnitScores:
    """Score every unit; see the module's equation."""
    model, kind = targets.model, settings.kind
    total = torch.zeros(model.sites.n_layers, model.sites.count(kind))
    tokens = 0
    for number, batch in enumerate(targets.batches(), start=1):
        for layer, values in enumerate(at_targets(model, batch, kind)):
            total[layer] += write_norms(model, kind, layer, values).sum(0).cpu()
        tokens += len(batch.rows)
        settings.progress(number, targets.n_batches)
    return UnitScores("activation-norm", kind, total / tokens, targets.spans)


ACTIVATION_NORM = Localiser(
    "activation-norm", "how strongly it writes at the span", "seconds", activation_norm
)
