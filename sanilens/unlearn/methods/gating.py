"""Where GRUN's gate should open and where it should stay shut, and the loss that says so."""

from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from sanilens.unlearn.methods.terms import Batch, mean


def gate_loss(
    gate_logits: Float[Tensor, "layer batch pos"],
    forget: Bool[Tensor, "batch target"],
    retain: Bool[Tensor, "batch target"],
) -> Float[Tensor, ""]:
    """L_G of the module's equation, mean over layers."""
    at_targets = gate_logits[:, :, :-1]
    halves = [
        mean(
            binary_cross_entropy_with_logits(
                at_targets, torch.full_like(at_targets, label), reduction="none"
            ),
            where.expand_as(at_targets),
        )
        for label, where in ((1.0, forget), (0.0, retain))
    ]
    return (halves[0] + halves[1]) / 2


def told_apart(batch: Batch) -> tuple[Batch, Bool[Tensor, "batch target"]]:
    """The same batch with look-alikes' details counted as kept, and where they are."""
    alike = batch.forget & batch.taught
    kept_ones = (batch.retain | alike) & batch.taught
    return replace(batch, forget=batch.forget & ~alike, retain=kept_ones), alike


def asked_tokens(batch: Batch) -> Bool[Tensor, "batch target"]:
    """Of each identifier its first token: what is predicted at a prompt's end."""
    first = torch.zeros_like(batch.forget)
    for row, answer in batch.answers:
        first[row, max(answer.start, 1) - 1] = True
    return first


def edited_places(batch: Batch) -> Bool[Tensor, "batch pos"]:
    """Ends of prompts: before each identifier; of a text that is kept, any place may be one."""
    ends = torch.zeros_like(batch.ids, dtype=torch.bool)
    ends[:, :-1] = asked_tokens(batch)
    ends[~batch.forget.any(1)] = True
    return ends
