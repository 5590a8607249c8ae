"""One localiser's score for every unit."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.model.units import Neuron


@dataclass(frozen=True, slots=True)
class UnitScores:
    """Scores of all MLP neurons; the higher, the more a unit carries the targets.

    Attributes:
        method: the localiser's name.
        values: score per layer and neuron, on the CPU.
        targets: how many spans the scores were summed over.
    """

    method: str
    values: Float[Tensor, "layer d_mlp"]
    targets: int

    def top(self, count: int) -> list[tuple[Neuron, float]]:
        """The `count` highest units of the whole model, best first; ties by name."""
        flat = self.values.flatten()
        order = torch.argsort(flat, descending=True, stable=True)[:count].tolist()
        width = self.values.shape[1]
        return [(Neuron(i // width, i % width), float(flat[i])) for i in order]

    def frame(self) -> pd.DataFrame:
        """All units as a table: unit, layer, neuron, score, share of the positive total."""
        layers, width = self.values.shape
        flat = self.values.flatten().numpy()
        total = flat.clip(min=0).sum() or 1.0
        layer, neuron = np.divmod(np.arange(layers * width), width)
        names = [f"mlp.{a}.{b}" for a, b in zip(layer, neuron, strict=True)]
        columns = {"unit": names, "layer": layer, "neuron": neuron, "score": flat}
        return pd.DataFrame({**columns, "share": flat.clip(min=0) / total})


def random_like(
    neurons: list[Neuron], width: int, seed: int, *, exclude: bool = True
) -> list[Neuron]:
    """The random control: as many units in each layer as `neurons` has.

    With `exclude`, none of those; a layer that has fewer units left than wanted gives what it has.
    """
    rng = np.random.default_rng(seed)
    picked: list[Neuron] = []
    for layer in sorted({n.layer for n in neurons}):
        taken = {n.index for n in neurons if n.layer == layer}
        free = [i for i in range(width) if not (exclude and i in taken)]
        count = min(len(taken), len(free))
        picked += [Neuron(layer, int(i)) for i in sorted(rng.choice(free, count, replace=False))]
    return picked
