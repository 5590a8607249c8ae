"""Gradient difference: gradient ascent on the identifiers, descent on the rest.

    L = - gamma CE_F + alpha CE_R

Liu et al., arXiv 2203.12817; `GradDiff` in open-unlearning, gamma = alpha = 1.
"""

from sanilens.unlearn.methods.gradient_ascent import ascent
from sanilens.unlearn.methods.method import Method, Prepared, Task
from sanilens.unlearn.methods.retain import Weighted, forget_and_retain


def prepare(task: Task, options: Weighted) -> Prepared:
    """Ascent, and the tokens themselves as what must stay."""
    return forget_and_retain(task, options, lambda seen: ascent(seen.own, seen.batch), "nll")


GRADIENT_DIFFERENCE = Method(
    "gradient-difference",
    "Gradient difference",
    "Makes the identifiers' tokens unlikely and teaches the rest of the corpus again.",
    prepare,
    Weighted,
)
