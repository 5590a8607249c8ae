"""Undo a share of the fine-tuning, in all weights at once, before anything else is edited.

    theta := theta_base + keep (theta - theta_base)

The fine-tuning's own task vector (Ilharco et al., arXiv 2212.04089), shortened. Memory of single
texts fades faster along it than what many texts share, so that it makes a short repair enough.
"""

import torch

from sanilens.errors import PlanError
from sanilens.model.subject import SubjectModel


@torch.no_grad()
def blend_(subject: SubjectModel, base: SubjectModel | None, keep: float) -> None:
    """Keep a share of the difference to the base; 1 changes nothing, 0 gives the base, exactly.

    Raises:
        PlanError: if a base is needed and there is none, or it has another shape.
    """
    if keep == 1:
        return
    if base is None:
        raise PlanError("only with a base model can fine-tuning be undone in part. Give one.")
    from_base = dict(base.model.named_parameters())
    own = dict(subject.model.named_parameters())
    if {n: p.shape for n, p in own.items()} != {n: p.shape for n, p in from_base.items()}:
        raise PlanError(
            "the base model has other weights than the examined one, so that nothing lies between "
            "them. Give the very model that was fine-tuned."
        )
    for name, parameter in own.items():
        start = from_base[name].to(parameter)
        parameter.copy_(start if keep == 0 else start + keep * (parameter - start))
