"""Gradient × activation: which units carry a span, for all of them in one backward pass.

    A(n) = sum_t a_{n,t} * d/da_{n,t} [ log p(span | prefix) ]

is, to first order, what log p loses when unit n is set to zero at every position (attribution
patching towards zero; Chang et al., arXiv 2311.09060, call the exact value ZERO-OUT). For a head
a is a vector and the product a dot product. Contrasted, the same quantity for matched
non-sensitive tokens is subtracted, so that units which merely help to write text do not stand at
the top. The difference is one objective, hence one backward pass.
"""

import torch

from sanilens.audit.targets import Targets
from sanilens.inspect.locate.localisers.captured import per_unit, target_logprob, with_gradients
from sanilens.inspect.locate.localisers.localiser import Localiser, Settings
from sanilens.inspect.locate.scores import UnitScores


def gradient_activation(
    targets: Targets, settings: Settings, *, contrast: bool = True
) -> UnitScores:
    """Score every unit; see the module's equation.

    `contrast` subtracts the attribution of as many non-sensitive tokens of the same records.
    """
    model, kind = targets.model, settings.kind
    total = torch.zeros(model.sites.n_layers, model.sites.count(kind))
    size, batches = model.sites.size(kind), targets.n_batches
    drawn = targets.batches(neutral=1.0 if contrast else 0.0, seed=settings.seed)
    for number, batch in enumerate(drawn, start=1):
        captured = with_gradients(model, batch, kind, target_logprob(batch, signed=contrast))
        total += torch.stack([per_unit((a * g).sum((0, 1)), size) for a, g in captured]).cpu()
        settings.progress(number, batches)
    name = "gradient-activation" if contrast else "gradient-activation-plain"
    return UnitScores(name, kind, total, targets.spans)


CONTRASTED = Localiser(
    "gradient-activation",
    "what the span loses to first order without the unit, less what neutral text loses",
    "seconds",
    gradient_activation,
)
PLAIN = Localiser(
    "gradient-activation-plain",
    "what the span loses to first order without the unit",
    "seconds",
    lambda targets, settings: gradient_activation(targets, settings, contrast=False),
)
