"""One localiser's score for every unit: neurons, heads, or an autoencoder's features."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.audit.targets import Scope, find_targets
from sanilens.corpus.records import Record
from sanilens.dictionaries.sae.features import attribution
from sanilens.dictionaries.sae.sae import Sae
from sanilens.errors import ModelError
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import Feature, LayerUnit, Unit, UnitKind, layer_unit

U = TypeVar("U", bound=Unit)


class Scores(ABC, Generic[U]):
    """Scores of all units of a kind; the higher, the more a unit carries the targets.

    Attributes:
        method: the localiser's name.
        values: score per layer and unit, or per feature, on the CPU.
        targets: how many spans the scores were summed over.

    Raises:
        ModelError: if a score is not a number: it would rank among the others all the same.
    """

    method: str
    values: Tensor
    targets: int

    def __post_init__(self) -> None:
        if wrong := int(self.values.isnan().sum()):
            raise ModelError(
                f"{self.method}: {wrong:,} of {self.values.numel():,} scores are no numbers, so "
                "units cannot be ranked. Try another localiser; if all fail, the model is damaged."
            )

    @abstractmethod
    def _unit(self, row: int, index: int) -> U:
        """The unit whose score stands in that row and column."""

    @abstractmethod
    def _row(self, row: int) -> tuple[int, str]:
        """The layer of a row, and what its units' names begin with."""

    def top(self, count: int) -> list[tuple[U, float]]:
        """The `count` highest units of all, best first; ties in the model's order."""
        flat, width = self.values.flatten(), self.values.shape[-1]
        order = torch.argsort(flat, descending=True, stable=True)[:count].tolist()
        return [(self._unit(*divmod(i, width)), float(flat[i])) for i in order]

    def units(self, count: int) -> list[U]:
        """The `count` highest units, best first."""
        return [unit for unit, _ in self.top(count)]

    def frame(self) -> pd.DataFrame:
        """All units as a table: unit, layer, index, score, share of the positive total."""
        flat, width = self.values.flatten().numpy(), self.values.shape[-1]
        rows = [self._row(row) for row in range(len(flat) // width)]
        positive = flat.clip(min=0)
        return pd.DataFrame(
            {
                "unit": [f"{stem}.{i}" for _, stem in rows for i in range(width)],
                "layer": np.repeat([layer for layer, _ in rows], width),
                "index": np.tile(np.arange(width), len(rows)),
                "score": flat,
                "share": positive / (positive.sum() or 1.0),
            }
        )


@dataclass(frozen=True, slots=True)
class UnitScores(Scores[LayerUnit]):
    """Of neurons (`mlp`) or attention heads (`head`)."""

    method: str
    kind: UnitKind
    values: Float[Tensor, "layer unit"]
    targets: int

    def _unit(self, row: int, index: int) -> LayerUnit:
        return layer_unit(self.kind, row, index)

    def _row(self, row: int) -> tuple[int, str]:
        return row, f"{self.kind}.{row}"


@dataclass(frozen=True, slots=True)
class FeatureScores(Scores[Feature]):
    """Of the features of the autoencoder `sae`, which reads `layer`."""

    sae: str
    layer: int
    values: Float[Tensor, " feature"]
    targets: int
    kind: Literal["sae"] = "sae"
    method: str = "attribution"

    def _unit(self, row: int, index: int) -> Feature:
        return Feature(self.sae, index)

    def _row(self, row: int) -> tuple[int, str]:
        return self.layer, f"sae.{self.sae}"


def feature_scores(
    model: LanguageModel, sae: Sae, records: Sequence[Record], scope: Scope
) -> FeatureScores:
    """Attribute the spans in scope to the features.

    Raises:
        PlanError: if no span is in scope.
    """
    count = find_targets(model, records, scope).spans
    values = attribution(model, sae, records, scope)
    return FeatureScores(sae.id, sae.site.layer, values, count)
