"""Slimming: a mask that is pressed towards zero while the span must still be said.

    min_m ell(m * a) + lambda ||m||_1,   m in [0, 1], from 1, clipped;   A(n) = m_n

(Liu et al. 2017, as a localiser by Chang et al., arXiv 2311.09060). `penalty` is lambda for each
unit; their code averages over units, so their 15,000 on GPT-2 is 0.4 here. Stops when the mean of
m falls under `stop`. Needs tuning: the defaults suit models of a few thousand units.
"""

from dataclasses import dataclass

import torch

from sanilens.audit.targets import Targets
from sanilens.inspect.locate.localisers.localiser import Localiser, Settings
from sanilens.inspect.locate.localisers.mask import train_mask
from sanilens.inspect.locate.scores import UnitScores


@dataclass(frozen=True, slots=True)
class Slimming:
    """How the mask is trained: Adam's learning rate, lambda, most steps, and when to stop."""

    learning_rate: float = 1e-2
    penalty: float = 0.003
    steps: int = 300
    stop: float = 0.2


def slimming(targets: Targets, settings: Settings, how: Slimming | None = None) -> UnitScores:
    """Score every unit by its mask; see the module's equation."""
    how = how or Slimming()
    model, kind = targets.model, settings.kind
    shape = (model.sites.n_layers, model.sites.count(kind))
    m = torch.ones(shape, device=model.device, requires_grad=True)
    train_mask(
        targets,
        settings,
        m,
        mask=lambda: m,
        penalty=lambda: m.abs().mean(),
        weight=how.penalty,
        learning_rate=how.learning_rate,
        steps=how.steps,
        stop=how.stop,
        after_step=lambda: m.data.clamp_(0, 1),
    )
    return UnitScores("slimming", kind, m.detach().cpu(), targets.spans)


SLIMMING = Localiser(
    "slimming", "whether the span survives without it, by a learned mask", "minutes", slimming
)
