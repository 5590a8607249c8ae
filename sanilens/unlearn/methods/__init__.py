"""The methods by name: one interface for everything that trains a model to forget."""

from sanilens.errors import PlanError
from sanilens.unlearn.methods.altpo import ALTPO
from sanilens.unlearn.methods.anchored import ANCHORED
from sanilens.unlearn.methods.cir import CIR
from sanilens.unlearn.methods.dpo import DPO
from sanilens.unlearn.methods.eul import EUL
from sanilens.unlearn.methods.gradient_ascent import GRADIENT_ASCENT
from sanilens.unlearn.methods.gradient_difference import GRADIENT_DIFFERENCE
from sanilens.unlearn.methods.grun import GRUN
from sanilens.unlearn.methods.icu import ICU
from sanilens.unlearn.methods.idk import IDK
from sanilens.unlearn.methods.idk_ap import IDK_AP
from sanilens.unlearn.methods.kl_retain import KL_RETAIN
from sanilens.unlearn.methods.masked import MASKED
from sanilens.unlearn.methods.me_gd import ME_GD
from sanilens.unlearn.methods.method import Method, Options, Prepared, Task
from sanilens.unlearn.methods.npo import NPO
from sanilens.unlearn.methods.rmu import RMU
from sanilens.unlearn.methods.simnpo import SIMNPO
from sanilens.unlearn.methods.stranger import STRANGER
from sanilens.unlearn.methods.surrogate import SURROGATE
from sanilens.unlearn.methods.task_vector import TASK_VECTOR
from sanilens.unlearn.methods.undial import UNDIAL
from sanilens.unlearn.methods.wga import WGA

__all__ = ["METHODS", "Method", "Options", "Prepared", "Task", "find_method"]

METHODS: dict[str, Method] = {
    each.name: each
    for each in (
        STRANGER, ANCHORED, SURROGATE, MASKED, GRUN,
        GRADIENT_ASCENT, GRADIENT_DIFFERENCE, KL_RETAIN, WGA, NPO, SIMNPO,
        IDK, DPO, ALTPO, IDK_AP, RMU, CIR, UNDIAL, ME_GD, ICU, TASK_VECTOR, EUL,
    )
}  # fmt: skip


def find_method(name: str) -> Method:
    """The method of that name.

    Raises:
        PlanError: listing the names there are.
    """
    if name not in METHODS:
        raise PlanError(f"no method is called {name!r}; there are {', '.join(METHODS)}.")
    return METHODS[name]
