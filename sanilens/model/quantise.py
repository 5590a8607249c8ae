"""Weights in fewer bits: what a user may do to a model afterwards, and what may undo a repair.

The formats are those that people use, made by the libraries themselves: int8 row by row,
NormalFloat and fp4 of bitsandbytes, int4 in groups by torch. `four_bits`, ours, needs no library:

NormalFloat of QLoRA (Dettmers et al., arXiv 2305.14314, section 3): a block of 64 weights is
divided by its largest magnitude, and each is rounded to the nearest of 16 levels, the quantiles
of a normal distribution scaled to [-1, 1]. As there, the linear maps are quantised; embeddings,
norms, biases and the unembedding are not. Kept here as float32: only the rounding matters.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from scipy.stats import norm
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from sanilens.extras import needs
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


Matrix = Float[Tensor, "outputs inputs"]
Rounding = Callable[[Matrix], Matrix]
"""Weights as they come back from fewer bits."""


def _bitsandbytes(kind: str) -> Rounding:
    with needs("attacks"), _quiet():
        import bitsandbytes.functional as bits  # takes seconds

    def four(weights: Matrix) -> Matrix:
        return bits.dequantize_4bit(*bits.quantize_4bit(weights, blocksize=64, quant_type=kind))

    def eight(weights: Matrix) -> Matrix:
        # Its int8 is made of half precision, as the library has it.
        codes, largest, _ = bits.int8_vectorwise_quant(weights.half())
        return bits.int8_vectorwise_dequant(codes, largest)

    return eight if kind == "int8" else four


def _groups(weights: Matrix) -> Matrix:
    """Int4, symmetric, a scale for every 32 weights of a row, by torch's own rounding."""
    outputs, inputs = weights.shape
    size = next(size for size in (32, 16, 8, 4, 2, 1) if inputs % size == 0)
    groups = weights.reshape(-1, size)
    scale = (groups.abs().amax(1) / 7).clamp_min(torch.finfo(weights.dtype).tiny)
    zero = torch.zeros(len(groups), dtype=torch.int32)
    rounded = torch.fake_quantize_per_channel_affine(groups, scale, zero, 0, -8, 7)
    return rounded.view(outputs, inputs)


FORMATS: dict[str, tuple[str, Callable[[], Rounding]]] = {
    "int8": ("int8 by row, bitsandbytes", lambda: _bitsandbytes("int8")),
    "int4": ("int4 in groups of 32, torch", lambda: _groups),
    "nf4": ("NormalFloat 4, bitsandbytes", lambda: _bitsandbytes("nf4")),
    "fp4": ("fp4, bitsandbytes", lambda: _bitsandbytes("fp4")),
}
"""Words, and what makes the rounding, by name."""


def rounding(name: str) -> Rounding:
    """A format's rounding, of matrices of rows first, on the CPU.

    Raises:
        MissingExtraError: if its library is not installed.
    """
    return FORMATS[name][1]()


@torch.no_grad()
def quantised(model: LanguageModel, round_: Rounding = four_bits) -> LanguageModel:
    """A copy whose linear maps went through fewer bits; everything else is as it was."""
    copy = model.copied()
    unembed = copy.module.get_submodule(copy.sites.unembed)
    for module in copy.module.modules():
        if isinstance(module, nn.Linear | Conv1D) and module is not unembed:
            stands = module.weight.T if isinstance(module, Conv1D) else module.weight
            # The libraries' kernels here are the CPU's.
            own = round_(stands.detach().cpu().float().contiguous())
            stands.copy_(own)
    return copy


@contextmanager
def _quiet() -> Iterator[None]:
    """The library tells of kernels for machines that this one is not."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(level)
