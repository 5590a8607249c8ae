"""The attacks by name, in the order of tables.

A new one is a file in this folder, at its end an `Attack`, and a name in the list below. It is then
run by `sanilens attack` and by runs whose plan names it, and stands in the tables of both, in the
terminal, the app and the report.
"""

from collections.abc import Iterable

from sanilens.audit.attacks.attack import Attack
from sanilens.audit.attacks.bypass import BYPASS
from sanilens.audit.attacks.change_shape import CHANGE_SHAPE
from sanilens.audit.attacks.cue import CUE
from sanilens.audit.attacks.lens import LENS
from sanilens.audit.attacks.membership import MEMBERSHIP_INFERENCE
from sanilens.audit.attacks.probe import PROBE
from sanilens.audit.attacks.prompts import PROMPTS
from sanilens.audit.attacks.quantisation import QUANTISATION
from sanilens.audit.attacks.reconstruction import RECONSTRUCTION
from sanilens.audit.attacks.relearning import RELEARNING
from sanilens.audit.attacks.ripple import RIPPLE
from sanilens.audit.attacks.sampling import SAMPLING
from sanilens.errors import PlanError

# What tells most for its time comes first.
ATTACKS: dict[str, Attack] = {
    each.name: each
    for each in (
        PROMPTS, SAMPLING, RECONSTRUCTION, MEMBERSHIP_INFERENCE, QUANTISATION, RELEARNING,
        LENS, PROBE, CHANGE_SHAPE, BYPASS, RIPPLE, CUE,
    )
}  # fmt: skip


def find_attacks(names: Iterable[str]) -> list[Attack]:
    """The attacks of these names, in the registry's order.

    Raises:
        PlanError: listing the names there are.
    """
    wanted = set(names)
    if unknown := wanted - set(ATTACKS):
        raise PlanError(f"no attack is called {min(unknown)!r}; there are {', '.join(ATTACKS)}.")
    return [attack for name, attack in ATTACKS.items() if name in wanted]
