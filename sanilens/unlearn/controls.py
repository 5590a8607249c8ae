"""What edits are held against: the same operations on random units, and growing doses of both."""

from collections.abc import Sequence

from sanilens.inspect.controls import random_like
from sanilens.inspect.units.readers import NO_SAES
from sanilens.model.sites import Sites
from sanilens.unlearn.edits import Dictionaries
from sanilens.unlearn.plan import UnitEdit


def dose_grid(units: int, points: int = 9) -> tuple[int, ...]:
    """At most `points` doses from 0 to `units`, denser at first, where a ranking's best come in.

    k_i = units (i / (points - 1))^2

    >>> dose_grid(100, points=5)
    (0, 6, 25, 56, 100)
    """
    last = max(1, points - 1)
    return tuple(sorted({round(units * (i / last) ** 2) for i in range(last + 1)}))


def random_edits(
    sites: Sites, edits: Sequence[UnitEdit], seed: int, dictionaries: Dictionaries = NO_SAES
) -> tuple[UnitEdit, ...]:
    """The random control of some edits: each at a random unit of the same place, none of theirs.

    In the order of `edits`, so that the first k stand for their first k. A place with fewer free
    units than the edits have there gives what it has; the others are left out.
    """
    widths = {name: own.width for name, own in dictionaries.items()}
    left: dict[str, list[str]] = {}
    for unit in random_like(sites, [edit.parsed for edit in edits], seed, widths=widths):
        left.setdefault(_place(str(unit)), []).append(str(unit))
    return tuple(
        edit.model_copy(update={"unit": free.pop(0)})
        for edit in edits
        if (free := left.get(_place(edit.unit)))
    )


def _place(unit: str) -> str:
    return unit.rpartition(".")[0]
