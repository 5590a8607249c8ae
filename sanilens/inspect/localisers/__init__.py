"""The localisers by name: one interface, scores of all units for the spans in scope."""

from sanilens.errors import PlanError
from sanilens.inspect.localisers.alignment import ALIGNMENT
from sanilens.inspect.localisers.gradient_activation import CONTRASTED, PLAIN
from sanilens.inspect.localisers.localiser import Localiser, Settings, ignored
from sanilens.inspect.localisers.random import RANDOM

__all__ = ["LOCALISERS", "Localiser", "Settings", "find_localiser", "ignored"]

LOCALISERS: dict[str, Localiser] = {
    each.name: each for each in (ALIGNMENT, CONTRASTED, PLAIN, RANDOM)
}


def find_localiser(name: str) -> Localiser:
    """The localiser of that name.

    Raises:
        PlanError: listing the names there are.
    """
    if name not in LOCALISERS:
        raise PlanError(f"no localiser is called {name!r}; there are {', '.join(LOCALISERS)}.")
    return LOCALISERS[name]
