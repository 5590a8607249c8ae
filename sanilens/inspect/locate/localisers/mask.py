"""Training a mask over units on frozen weights: the part that Slimming and Hard Concrete share.

    min over masks of  ell(m * a) + penalty,   ell = -(1/T) sum_t log p(s_t | p, s_<t)

The units that the span needs keep their mask; the others are let go.
"""

from collections.abc import Callable
from itertools import cycle

import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.audit.targets import TargetBatch, Targets
from sanilens.inspect.locate.localisers.localiser import Settings
from sanilens.model.forward import logits_at
from sanilens.model.hooks import Hooks
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import UnitKind

UnitMask = Float[Tensor, "layer unit"]
# How often the stop rule is looked at, in steps; and passages in a step's batch.
_LOOK, _PASSAGES = 10, 8


def train_mask(
    targets: Targets,
    settings: Settings,
    parameter: UnitMask,
    *,
    mask: Callable[[], UnitMask],
    penalty: Callable[[], Float[Tensor, ""]],
    weight: float,
    learning_rate: float,
    steps: int,
    stop: float,
    after_step: Callable[[], object] = lambda: None,
) -> None:
    """Train `parameter` with Adam, in place.

    Args:
        targets: what must still be said.
        settings: kind of units, and progress.
        parameter: a leaf that requires a gradient.
        mask: the mask that multiplies the units' values, of the parameter; drawn anew each step.
        penalty: the mean over units of how much is kept, in [0, 1].
        weight: how much the penalty counts for each unit, so that it grows with their number.
        learning_rate, steps: of Adam.
        stop: the penalty at which to stop early.
        after_step: called after each step, to keep the parameter in its range.
    """
    optimizer = torch.optim.Adam([parameter], lr=learning_rate)
    batches = cycle(list(targets.batches(most=_PASSAGES)))
    for step in range(1, steps + 1):
        with torch.enable_grad():
            loss = _loss(targets.model, next(batches), settings.kind, mask())
            kept = penalty()
            (parameter.grad,) = torch.autograd.grad(
                loss + weight * parameter.numel() * kept, [parameter]
            )
        optimizer.step()
        after_step()
        settings.progress(step, steps)
        if step % _LOOK == 0 and kept.item() < stop:
            settings.progress(steps, steps)
            return


def _loss(
    model: LanguageModel, batch: TargetBatch, kind: UnitKind, mask: UnitMask
) -> Float[Tensor, ""]:
    where = (batch.ids, batch.rows, batch.columns - 1)
    logits = logits_at(model, *where, masked(model, kind, mask))
    return torch.nn.functional.cross_entropy(logits, batch.tokens)


def masked(model: LanguageModel, kind: UnitKind, mask: UnitMask) -> Hooks:
    """Hooks that multiply each unit's value by its mask."""
    rows = mask.to(model.device).repeat_interleave(model.sites.size(kind), dim=1)
    return Hooks(
        {
            path: lambda x, row=row: x * row.to(x.dtype)
            for path, row in zip(model.sites.outs(kind), rows, strict=True)
        }
    )
