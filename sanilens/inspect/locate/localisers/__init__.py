"""The localisers by name: one interface, scores of all units for the spans in scope."""

from sanilens.errors import PlanError
from sanilens.inspect.locate.localisers.activation_norm import ACTIVATION_NORM
from sanilens.inspect.locate.localisers.alignment import ALIGNMENT, TWO_SIDED
from sanilens.inspect.locate.localisers.balanced_subnet import BALANCED_SUBNET
from sanilens.inspect.locate.localisers.gradient_activation import CONTRASTED, PLAIN
from sanilens.inspect.locate.localisers.hard_concrete import HARD_CONCRETE
from sanilens.inspect.locate.localisers.integrated_gradients import INTEGRATED_GRADIENTS
from sanilens.inspect.locate.localisers.localiser import Localiser, Settings
from sanilens.inspect.locate.localisers.price import PRICE
from sanilens.inspect.locate.localisers.random import RANDOM
from sanilens.inspect.locate.localisers.relp import RELP
from sanilens.inspect.locate.localisers.selective_pruning import SELECTIVE_PRUNING
from sanilens.inspect.locate.localisers.silencing import SILENCING
from sanilens.inspect.locate.localisers.slimming import SLIMMING
from sanilens.inspect.locate.localisers.zero_out import ZERO_OUT

__all__ = ["LOCALISERS", "Localiser", "Settings", "find_localiser"]

LOCALISERS: dict[str, Localiser] = {
    each.name: each
    for each in (
        PRICE, SILENCING, ALIGNMENT, TWO_SIDED, CONTRASTED, PLAIN, RELP, SELECTIVE_PRUNING,
        ACTIVATION_NORM, INTEGRATED_GRADIENTS, SLIMMING, HARD_CONCRETE,
        BALANCED_SUBNET, ZERO_OUT, RANDOM,
    )
}  # fmt: skip


def find_localiser(name: str) -> Localiser:
    """The localiser of that name.

    Raises:
        PlanError: listing the names there are.
    """
    if name not in LOCALISERS:
        raise PlanError(f"no localiser is called {name!r}; there are {', '.join(LOCALISERS)}.")
    return LOCALISERS[name]
