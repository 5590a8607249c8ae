"""Integrated gradients: the span's probability, followed from a silent layer to the real one.

    A(n) = (1/T) sum_t a_n . int_0^1 d p(s_t | alpha a) / d a_n  d alpha

along the straight line that scales all units of one layer together, at every position, layer by
layer (Chang et al., arXiv 2311.09060, IG: baseline 0, 20 steps). The scores of a layer add up to
what zeroing the whole layer costs the mean probability of the target tokens.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.audit.targets import TargetBatch, Targets
from sanilens.inspect.locate.localisers.captured import per_unit
from sanilens.inspect.locate.localisers.localiser import Localiser, Settings
from sanilens.inspect.locate.scores import UnitScores
from sanilens.model.forward import logits_at
from sanilens.model.hooks import Hooks
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import UnitKind

STEPS = 20


def integrated_gradients(targets: Targets, settings: Settings) -> UnitScores:
    """Score every unit; see the module's equation. The integral is a midpoint sum."""
    model, kind = targets.model, settings.kind
    layers, size = model.sites.n_layers, model.sites.size(kind)
    total = torch.zeros(layers, model.sites.count(kind))
    of, done, tokens = targets.n_batches * layers * STEPS, 0, 0
    for batch in targets.batches():
        for layer in range(layers):
            for step in range(STEPS):
                alpha = (step + 0.5) / STEPS
                total[layer] += per_unit(_step(model, batch, kind, layer, alpha), size).cpu()
                done += 1
                settings.progress(done, of)
        tokens += len(batch.rows)
    return UnitScores("integrated-gradients", kind, total / STEPS / tokens, targets.spans)


def _step(
    model: LanguageModel, batch: TargetBatch, kind: UnitKind, layer: int, alpha: float
) -> Float[Tensor, " width"]:
    """a times the gradient of the tokens' probabilities, with the layer's values scaled."""
    real: list[Tensor] = []
    scaled: list[Tensor] = []

    def scale(x: Tensor) -> Tensor:
        real.append(x.detach())
        scaled.append((alpha * x).detach().requires_grad_())
        return scaled[0]

    hooks = Hooks({model.sites.outs(kind)[layer]: scale})
    with torch.enable_grad():
        logits = logits_at(model, batch.ids, batch.rows, batch.columns - 1, hooks)
        said = logits.softmax(-1).gather(1, batch.tokens[:, None]).sum()
        (gradient,) = torch.autograd.grad(said, scaled)
    return (real[0] * gradient).sum((0, 1))


INTEGRATED_GRADIENTS = Localiser(
    "integrated-gradients",
    "its part in the span's probability, from a silent layer to the real one",
    "minutes",
    integrated_gradients,
)
