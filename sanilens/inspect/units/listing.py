"""All units as one table: searched, filtered and sorted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from jaxtyping import Bool

from sanilens.inspect.locate.scores import Scores
from sanilens.inspect.units.sample import UnitTable

Order = Literal["score", "lowest score", "fires most", "fires least", "name"]
ORDERS: tuple[Order, ...] = get_args(Order)
Tri = Literal["all", "only", "none"]


@dataclass(frozen=True, slots=True)
class Filters:
    """Which units to list, and in what order.

    Attributes:
        search: words, any of which the name begins with or holds whole: `mlp.5`, `head.2.1`, `217`.
        layers: these alone; none: all.
        low, high: bounds of the score, None for none.
        fires: bounds of the firing rate.
        dead, planned: `only` those that never fire (are in the plan), `none` of those, or all.
        order: of the rows.
    """

    search: str = ""
    layers: tuple[int, ...] = ()
    low: float | None = None
    high: float | None = None
    fires: tuple[float, float] = (0.0, 1.0)
    dead: Tri = "all"
    planned: Tri = "all"
    order: Order = "score"

    @property
    def active(self) -> int:
        """How many of the filters leave units out; search and order do not count."""
        default = Filters()
        fields = ("layers", "low", "high", "fires", "dead", "planned")
        return sum(getattr(self, name) != getattr(default, name) for name in fields)


def unit_frame(scores: Scores, table: UnitTable, planned: Mapping[str, str]) -> pd.DataFrame:
    """All units: `unit, layer, index, score, fires, mean, planned` (the operation, or empty)."""
    frame = scores.frame().drop(columns="share")
    frame["fires"], frame["mean"] = table.firing, table.mean
    frame["planned"] = frame["unit"].map(lambda name: planned.get(name, ""))
    return frame


def listed(frame: pd.DataFrame, filters: Filters) -> pd.DataFrame:
    """The rows of `unit_frame` that pass, in order; ties as in the model."""
    keep = frame["fires"].between(*filters.fires)
    if words := filters.search.split():
        keep &= frame["unit"].map(lambda name: any(_matches(name, word) for word in words))
    if filters.layers:
        keep &= frame["layer"].isin(filters.layers)
    if filters.low is not None:
        keep &= frame["score"] >= filters.low
    if filters.high is not None:
        keep &= frame["score"] <= filters.high
    keep &= _chosen(frame["fires"].to_numpy() == 0, filters.dead)
    keep &= _chosen(frame["planned"].to_numpy() != "", filters.planned)
    column, ascending = _SORTS[filters.order]
    kept: pd.DataFrame = frame.loc[keep]
    return kept.sort_values(column, ascending=ascending, kind="stable")


_SORTS: Mapping[Order, tuple[list[str], bool]] = {
    "score": (["score"], False),
    "lowest score": (["score"], True),
    "fires most": (["fires"], False),
    "fires least": (["fires"], True),
    "name": (["layer", "index"], True),
}


def _chosen(on: Bool[np.ndarray, " unit"], wanted: Tri) -> Bool[np.ndarray, " unit"]:
    match wanted:
        case "only":
            return on
        case "none":
            return ~on
        case "all":
            return on | True


def _matches(name: str, word: str) -> bool:
    """`mlp.5.21` begins with `mlp.5` and with `mlp.5.2`; `21` is one of its numbers."""
    return name.startswith(word.casefold()) or word in re.split(r"\.", name)
