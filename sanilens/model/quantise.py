"""Weights in four bits: what a user may do to a model afterwards, and what may undo a repair.

NormalFloat of QLoRA (Dettmers et al., arXiv 2305.14314, section 3): a block of 64 weights is
divided by its largest magnitude, and each is rounded to the nearest of 16 levels, the quantiles
of a normal distribution scaled to [-1, 1]. As there, the linear maps are quantised; embeddings,
norms, biases and the unembedding are not. Kept here as float32: only the rounding matters.
"""

from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from scipy.stats import norm
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from sanilens.model.language_model import LanguageModel

_BLOCK = 64
# Of QLoRA's code: halfway between the outermost levels' quantiles with 15 and with 16 levels.
_OUTERMOST = 0.9677083


@cache
def normal_levels() -> Float[Tensor, "16"]:
    """The 16 levels, rising from -1 to 1, zero among them; 8 above it and 7 below."""
    above = norm.ppf(np.linspace(_OUTERMOST, 0.5, 9)[:-1])
    below = -norm.ppf(np.linspace(_OUTERMOST, 0.5, 8)[:-1])
    levels = np.sort(np.concatenate([below, [0.0], above]))
    return torch.tensor(levels / np.abs(levels).max(), dtype=torch.float32)


def four_bits(weights: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The weights as they come back from four bits a piece, in blocks along the flat tensor."""
    flat = weights.reshape(-1)
    padded = nn.functional.pad(flat, (0, -len(flat) % _BLOCK)).view(-1, _BLOCK)
    largest = padded.abs().amax(1, keepdim=True)
    levels = normal_levels().to(weights)
    # Between two levels the nearer one: the boundaries are their means.
    boundaries = (levels[1:] + levels[:-1]) / 2
    unit = padded / torch.where(largest > 0, largest, 1.0)
    rounded = levels[torch.bucketize(unit, boundaries)] * largest
    return rounded.view(-1)[: len(flat)].view_as(weights)


@torch.no_grad()
def quantised(model: LanguageModel) -> LanguageModel:
    """A copy whose linear maps went through four bits; everything else is as it was."""
    copy = model.copied()
    unembed = copy.module.get_submodule(copy.sites.unembed)
    for module in copy.module.modules():
        if isinstance(module, nn.Linear | Conv1D) and module is not unembed:
            module.weight.copy_(four_bits(module.weight))
    return copy
