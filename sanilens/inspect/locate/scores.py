"""One localiser's score for every unit."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.errors import ModelError
from sanilens.model.units import LayerUnit, UnitKind, layer_unit

U = TypeVar("U", bound=LayerUnit)


@dataclass(frozen=True, slots=True)
class UnitScores:
    """Scores of all units of a kind; the higher, the more a unit carries the targets.

    Attributes:
        method: the localiser's name.
        kind: neurons (`mlp`) or attention heads (`head`).
        values: score per layer and unit, on the CPU.
        targets: how many spans the scores were summed over.

    Raises:
        ModelError: if a score is no number: it would rank among the others all the same.
    """

    method: str
    kind: UnitKind
    values: Float[Tensor, "layer unit"]
    targets: int

    def __post_init__(self) -> None:
        if wrong := int(self.values.isnan().sum()):
            raise ModelError(
                f"{self.method}: {wrong:,} of {self.values.numel():,} scores are no numbers, so "
                "units cannot be ranked. Try another localiser; if all fail, the model is damaged."
            )

    def top(self, count: int) -> list[tuple[LayerUnit, float]]:
        """The `count` highest units of the whole model, best first; ties by name."""
        flat = self.values.flatten()
        order = torch.argsort(flat, descending=True, stable=True)[:count].tolist()
        width = self.values.shape[1]
        return [(layer_unit(self.kind, i // width, i % width), float(flat[i])) for i in order]

    def units(self, count: int) -> list[LayerUnit]:
        """The `count` highest units, best first."""
        return [unit for unit, _ in self.top(count)]

    def frame(self) -> pd.DataFrame:
        """All units as a table: unit, layer, index, score, share of the positive total."""
        layers, width = self.values.shape
        flat = self.values.flatten().numpy()
        total = flat.clip(min=0).sum() or 1.0
        layer, index = np.divmod(np.arange(layers * width), width)
        names = [f"{self.kind}.{a}.{b}" for a, b in zip(layer, index, strict=True)]
        columns = {"unit": names, "layer": layer, "index": index, "score": flat}
        return pd.DataFrame({**columns, "share": flat.clip(min=0) / total})
