"""Weights in fewer bits: what a user may do to a model afterwards, and what may undo a repair.

int8 and int4 are rounded by torch's own kernels: a scale for each row, or for each 32 weights of a
row. bitsandbytes rounds to NormalFloat as we do; it is no requirement, since transformer-lens
imports it wherever it is installed, which takes every command seconds.

NormalFloat of QLoRA (Dettmers et al., arXiv 2305.14314, section 3): a block of 64 weights is
divided by its largest magnitude, and each is rounded to the nearest of 16 levels, the quantiles
of a normal distribution scaled to [-1, 1]. As there, the linear maps are quantised; embeddings,
norms, biases and the unembedding are not. Kept here as float32: only the rounding matters.
"""

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from scipy.stats import norm
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from sanilens.model.language_model import LanguageModel

_BLOCK, GROUP = 64, 32
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


Matrix = Float[Tensor, "outputs inputs"]


def eight_bits(weights: Matrix) -> Matrix:
    """The weights as they come back from int8, symmetric, a scale for each row."""
    return rounded_by(weights, weights.shape[1], 8)


def int_four(weights: Matrix) -> Matrix:
    """The same from int4, a scale for every 32 weights of a row."""
    return rounded_by(weights, math.gcd(weights.shape[1], GROUP), 4)


def rounded_by(weights: Matrix, group: int, bits: int) -> Matrix:
    """The weights as they come back from symmetric integers, a scale for each group of a row."""
    groups = weights.reshape(-1, group)
    top = 2 ** (bits - 1) - 1
    scale = (groups.abs().amax(1) / top).clamp_min(torch.finfo(weights.dtype).tiny)
    zero = torch.zeros(len(groups), dtype=torch.int32, device=weights.device)
    return torch.fake_quantize_per_channel_affine(groups, scale, zero, 0, -top - 1, top).view_as(
        weights
    )


Rounding = Callable[[Matrix], Matrix]
"""Weights as they come back from fewer bits."""

FORMATS: dict[str, tuple[str, Rounding]] = {
    "int8": ("int8, by row", eight_bits),
    "int4": ("int4, in groups of 32", int_four),
    "nf4": ("NormalFloat 4, in blocks of 64", four_bits),
}
"""Words, and the rounding, by name."""


@torch.no_grad()
def quantised(model: LanguageModel, round_: Rounding = four_bits) -> LanguageModel:
    """A copy whose linear maps went through fewer bits; everything else is as it was."""
    copy = model.copied()
    unembed = copy.module.get_submodule(copy.sites.unembed)
    for module in copy.module.modules():
        if isinstance(module, nn.Linear | Conv1D) and module is not unembed:
            stands = module.weight.T if isinstance(module, Conv1D) else module.weight
            stands.copy_(round_(stands.detach().contiguous()))
    return copy
