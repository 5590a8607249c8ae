"""Hard Concrete: a random gate for every unit, which learns to close unless the span needs it.

    m = clip( sg((logit u + log a) / beta) (zeta - gamma) + gamma, 0, 1),   u ~ U(0, 1)
    min over a of  ell(m * h) + lambda sum_n P(m_n != 0),   P = sg(log a - beta log(-gamma / zeta))
    A(n) = sg(log a_n)

gamma -0.1, zeta 1.1 (Louizos et al. 2018, as a localiser by Chang et al., arXiv 2311.09060).
`penalty` is lambda for each unit; their code averages over units, so their 100 to 1,000 on GPT-2
is 0.003 to 0.03 here. `start` is the mask's first value. Needs tuning.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.audit.targets import Targets
from sanilens.inspect.locate.localisers.localiser import Localiser, Settings
from sanilens.inspect.locate.localisers.mask import train_mask
from sanilens.inspect.locate.scores import UnitScores

_GAMMA, _ZETA = -0.1, 1.1


@dataclass(frozen=True, slots=True)
class HardConcrete:
    """How the gates are trained: Adam's learning rate, lambda, first value, temperature, steps."""

    learning_rate: float = 1e-2
    penalty: float = 0.001
    start: float = 0.5
    beta: float = 0.33
    steps: int = 600
    stop: float = 0.1


def hard_concrete(
    targets: Targets, settings: Settings, how: HardConcrete | None = None
) -> UnitScores:
    """Score every unit by its gate; see the module's equation."""
    how = how or HardConcrete()
    model, kind = targets.model, settings.kind
    shape = (model.sites.n_layers, model.sites.count(kind))
    first = (how.start - _GAMMA) / (_ZETA - _GAMMA)
    log_a = torch.full(shape, math.log(first / (1 - first)), device=model.device)
    log_a.requires_grad_()
    generator = torch.Generator().manual_seed(settings.seed)
    train_mask(
        targets,
        settings,
        log_a,
        mask=lambda: gate(log_a, torch.rand(shape, generator=generator).to(log_a), how.beta),
        penalty=lambda: torch.sigmoid(log_a - how.beta * math.log(-_GAMMA / _ZETA)).mean(),
        weight=how.penalty,
        learning_rate=how.learning_rate,
        steps=how.steps,
        stop=how.stop,
    )
    return UnitScores("hard-concrete", kind, log_a.detach().sigmoid().cpu(), targets.spans)


def gate(
    log_a: Float[Tensor, "layer unit"], uniform: Float[Tensor, "layer unit"], beta: float
) -> Float[Tensor, "layer unit"]:
    """The mask for one draw of `uniform`, which is kept off its ends."""
    u = uniform.clamp(1e-4, 1 - 1e-4)
    stretched = torch.sigmoid((u.logit() + log_a) / beta) * (_ZETA - _GAMMA) + _GAMMA
    return stretched.clamp(0, 1)


HARD_CONCRETE = Localiser(
    "hard-concrete",
    "whether the span survives without it, by a learned random gate",
    "minutes",
    hard_concrete,
)
