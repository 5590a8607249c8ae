"""Values of all units and the gradient at them, from one forward and one backward pass."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.audit.targets import TargetBatch
from sanilens.model.forward import logits_at
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import UnitKind

Objective = Callable[[Float[Tensor, "n vocab"]], Float[Tensor, ""]]
"""Gives a scalar of the logits that predict the batch's tokens."""

Captured = list[tuple[Float[Tensor, "batch pos width"], Float[Tensor, "batch pos width"]]]
"""Per layer: what enters the units' output projection, and the objective's gradient there."""


def with_gradients(
    model: LanguageModel,
    batch: TargetBatch,
    kind: UnitKind,
    objective: Objective,
    rules: Hooks = NO_HOOKS,
) -> Captured:
    """Run a batch once forward and once backward; `rules` are hooks that change the latter.

    Parameters get no gradient, so the backward pass costs about as much as the forward one.
    """
    captured: list[Tensor] = []

    def capture(x: Tensor) -> Tensor:
        # The lowest layer's values depend on frozen weights only: they become the leaf.
        x = x if x.requires_grad else x.detach().requires_grad_()
        captured.append(x)
        return x

    hooks = rules.then(Hooks(dict.fromkeys(model.sites.outs(kind), capture)))
    with torch.enable_grad():
        logits = logits_at(model, batch.ids, batch.rows, batch.columns - 1, hooks)
        gradients = torch.autograd.grad(objective(logits), captured)
    return [(a.detach(), g) for a, g in zip(captured, gradients, strict=True)]


def target_logprob(batch: TargetBatch, signed: bool = False) -> Objective:
    """sum_t w_t log p(x_t | x_<t), w = 1 or, `signed`, the batch's signs; in nats."""

    def objective(logits: Float[Tensor, "n vocab"]) -> Float[Tensor, ""]:
        logprobs = logits.log_softmax(-1).gather(1, batch.tokens[:, None])[:, 0]
        return (logprobs * batch.signs()).sum() if signed else logprobs.sum()

    return objective


def per_unit(values: Float[Tensor, "... width"], size: int) -> Float[Tensor, "... unit"]:
    """Sum over the coordinates of each unit: one for a neuron, `d_head` for a head."""
    return values if size == 1 else values.unflatten(-1, (-1, size)).sum(-1)


@torch.inference_mode()
def at_targets(
    model: LanguageModel, batch: TargetBatch, kind: UnitKind
) -> list[Float[Tensor, "n width"]]:
    """Per layer the units' values at the positions that predict the batch's tokens."""
    found: list[Tensor] = []

    def keep(x: Tensor) -> None:
        found.append(x[batch.rows, batch.columns - 1].float())

    hooks = Hooks(dict.fromkeys(model.sites.outs(kind), keep))
    logits_at(model, batch.ids, batch.rows[:1], batch.columns[:1] - 1, hooks)
    return found
