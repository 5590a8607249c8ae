"""KL minimisation: gradient ascent on the identifiers, the unedited model's distribution elsewhere.

    L = - gamma CE_F + alpha (1/|R|) sum_{t in R} KL(p_theta0 || p)

Yao et al., arXiv 2310.10683; the `KL` baseline of TOFU (arXiv 2401.06121).
"""

from sanilens.unlearn.methods.gradient_ascent import ascent
from sanilens.unlearn.methods.method import Method, Prepared, Task
from sanilens.unlearn.methods.retain import Weighted, forget_and_retain


def prepare(task: Task, options: Weighted) -> Prepared:
    """Ascent, and the unedited model's distribution as what must stay."""
    return forget_and_retain(task, options, lambda seen: ascent(seen.own, seen.batch), "kl")


KL_RETAIN = Method(
    "kl",
    "Gradient ascent with KL",
    "Makes the identifiers' tokens unlikely and holds the rest to what the model said before.",
    prepare,
    Weighted,
)
