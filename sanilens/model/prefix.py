"""The first layers of a model, computed once for each batch of text.

Whoever edits one layer and looks at the same texts again and again runs the layers before it in
vain. Here each of them remembers what it made of what it got, by content.
"""

import copy
import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from sanilens.model.subject import SubjectModel

Forward = Callable[..., Any]


def remembering(subject: SubjectModel, layers: int) -> SubjectModel:
    """A copy whose first `layers` layers are looked up where they have seen a batch before.

    They must not be edited, and no gradient reaches them. Memory grows with the texts shown: their
    tokens x `layers` x model width.
    """
    model = copy.deepcopy(subject.model)
    for path in subject.sites.blocks[:layers]:
        block = model.get_submodule(path)
        # On the instance: the block keeps its class and attributes, which its model may ask for.
        block.forward = _remembered(block.forward)
    return replace(subject, model=model)


def _remembered(forward: Forward) -> Forward:
    known: dict[tuple[tuple[int, ...], bytes], Any] = {}

    def remembered(hidden: Tensor, *args: Any, **kwargs: Any) -> Any:
        content = hidden.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes()
        key = (tuple(hidden.shape), hashlib.sha256(content).digest())
        if key not in known:
            # Kept for later passes with gradients: those cannot use what inference mode made.
            with torch.inference_mode(False), torch.no_grad():
                known[key] = forward(hidden.detach(), *args, **kwargs)
        return known[key]

    return remembered
