"""How long a step of rewriting may be, and how far its prediction is trusted.

    W <- W - s U,    s = min(L_S, sqrt(2 eps d)) / d,    d = sum <U, grad L_S>,    KL ~ s^2 d / 2

A step whose measured KL leaves the region of eps is taken back and halved (Levenberg and
Marquardt): measured over predicted KL scales the next one. Where L_S falls by far less than the
gradient promised, lam grows. A step that breaks the model is undone bit for bit.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sanilens.model.keep_set import Harm, Moved
from sanilens.model.language_model import LanguageModel
from sanilens.model.linear_maps import Matrix, add_
from sanilens.unlearn.plan import Rewriting

# KL that float32 does not tell from none, nats a token.
NOTHING = 1e-6
_MOST_HALVINGS, _STALE = 8, 4.0
# Of what a step promised: so little that lam grows, so much that it falls again. And lam's bound.
_BROKEN, _KEPT, _MOST_DAMPING = 0.25, 0.5, 1e-2
# What is left of a budget that is as good as spent: steps would go on for ever, ever shorter.
_SPENT = 0.01


@dataclass(slots=True)
class Ratio:
    """Measured over predicted KL: of the last step, and of the first since curvature was measured.

    It is seldom 1: where the model is sure of a token its gradient says little of what a long step
    does. What tells that curvature is stale is that the ratio has grown.
    """

    last: float = 1.0
    first: float | None = None

    def see(self, measured: float, predicted: float) -> None:
        """Take an accepted step's ratio down; what is too small to be measured says nothing."""
        if measured > NOTHING:
            self.last = measured / predicted
            self.first = self.last if self.first is None else self.first

    @property
    def parted(self) -> bool:
        """Whether prediction and measurement have parted."""
        return self.first is not None and self.last > _STALE * max(1.0, self.first)


@dataclass(slots=True)
class Damping:
    """lam: tenfold where a step brought far less than it promised, and back where it kept its word.

    The gradient's promise fails where the loss bends in a way that the curvature does not know:
    steps then go to and fro across a valley, at full price each.

    Attributes:
        least: the plan's, from which it begins.
        now: as it is.
        promised: how far L_S was to fall by the last step, nats a token.
    """

    least: float
    now: float
    promised: float = 0.0
    _asked: frozenset[str] = frozenset()
    _loss: float = 0.0

    def after(self, asked: frozenset[str], loss: float) -> float:
        """lam for the next step; the last one tells where it pushed the same spans.

        Args:
            asked: the spans to be pushed; none where the loss is not the model's own.
            loss: L_S of them now.
        """
        if asked and asked == self._asked:
            kept = (self._loss - loss) / self.promised
            if kept < _BROKEN:
                self.now = max(self.least, min(10 * self.now, _MOST_DAMPING))
            elif kept > _KEPT:
                self.now = max(self.least, self.now / 10)
        self._asked, self._loss = asked, loss
        return self.now


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken.

    Attributes:
        size: s, by which the change was multiplied.
        predicted: KL at what must stay by the curvature, nats a token.
        moved: the same, measured.
        halved: how often it was taken back first.
    """

    size: float
    predicted: float
    moved: Moved
    halved: int


def step_(
    model: LanguageModel,
    change: Mapping[str, Matrix],
    loss: float,
    gained: float,
    harm: Harm,
    settings: Rewriting,
    ratio: Ratio,
) -> Taken | None:
    """Change the weights by as much as the trust region allows; None, and nothing, if by none.

    Args:
        model: changed in place.
        change: U, by path.
        loss: L_S, nats a token.
        gained: <U, grad L_S>.
        harm: measures KL at what must stay.
        settings: the radius, and the budget of all steps.
        ratio: of the last step; of this one afterwards.
    """
    modules = {path: model.module.get_submodule(path) for path in change}
    before = {path: _copied(module) for path, module in modules.items()}
    left = settings.budget - harm.spent
    if left <= _SPENT * settings.budget:
        return None
    radius = min(settings.step, left)
    # No longer than brings L_S to nothing in a straight line (Polyak's step): near its end a step
    # of the whole radius would overshoot, and what was gone come back.
    size = min(loss / gained, (2 * radius / (ratio.last * gained)) ** 0.5)
    for halved in range(_MOST_HALVINGS):
        for path, module in modules.items():
            add_(module, -size * change[path])
        predicted = size**2 * gained / 2
        moved = harm.of(model)
        if moved and moved.since_last <= 2 * radius and moved.since_start <= settings.budget:
            ratio.see(moved.since_last, predicted)
            return Taken(size, predicted, moved, halved)
        for path, module in modules.items():
            _restore_(module, before[path])
        # At least by half; further, at once, where the measurement says so.
        seen = moved.since_last if moved else math.inf
        size *= min(0.5, (radius / seen) ** 0.5) if 0 < seen < math.inf else 0.1
    return None


def _copied(module: nn.Module) -> dict[str, Tensor]:
    return {name: own.detach().clone() for name, own in module.named_parameters(recurse=False)}


@torch.no_grad()
def _restore_(module: nn.Module, values: Mapping[str, Tensor]) -> None:
    for name, value in values.items():
        module.get_parameter(name).copy_(value)
