"""Where prompts end in the texts that are being read, for edits that act there alone.

A reader of a whole text asks for several things at once: each place from which something is asked
is the end of a prompt. Nobody else needs to know; an edit that does looks here.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

_ends: ContextVar[Tensor | None] = ContextVar("prompt_ends", default=None)


@contextmanager
def prompts_end_at(where: Bool[Tensor, "batch pos"]) -> Iterator[None]:
    """Say for the forward passes of the block which positions are ends of prompts."""
    token = _ends.set(where)
    try:
        yield
    finally:
        _ends.reset(token)


def mask_of(
    ids: Int[Tensor, "batch pos"], where: Sequence[tuple[int, int]]
) -> Bool[Tensor, "batch pos"]:
    """A mask of (row, column) places."""
    mask = torch.zeros_like(ids, dtype=torch.bool)
    rows, columns = zip(*where, strict=True) if where else ((), ())
    mask[list(rows), list(columns)] = True
    return mask


def prompt_ends(h: Float[Tensor, "batch pos d_model"]) -> Bool[Tensor, "batch pos"]:
    """Ends of prompts in a forward pass over `h`.

    Where nobody has said: the last position of a text that is read, and none of a text that is
    being written token by token.
    """
    told = _ends.get()
    if told is not None:
        return told
    ends = torch.zeros(h.shape[:2], dtype=torch.bool, device=h.device)
    ends[:, -1] = h.shape[1] > 1
    return ends
