"""One score for every feature of an autoencoder, as a localiser gives one to every unit.

S(f) = sum_t a_{f,t} * d log p(spans) / d a_{f,t}      nats, to first order what log p loses
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.corpus.records import Record
from sanilens.inspect.sae.features import attribution
from sanilens.inspect.sae.sae import Sae
from sanilens.inspect.targets import Scope, find_targets
from sanilens.model.subject import SubjectModel
from sanilens.model.units import Feature


@dataclass(frozen=True, slots=True)
class FeatureScores:
    """Attribution of all features of one autoencoder; the higher, the more a feature carries.

    Attributes:
        sae: the autoencoder's id.
        layer: the layer that it reads.
        values: score per feature, on the CPU.
        targets: how many spans the scores were summed over.
    """

    sae: str
    layer: int
    values: Float[Tensor, " feature"]
    targets: int

    @property
    def kind(self) -> Literal["sae"]:
        """What is scored."""
        return "sae"

    @property
    def method(self) -> str:
        """How."""
        return "attribution"

    def units(self, count: int) -> list[Feature]:
        """The `count` highest features, best first; ties by number."""
        order = torch.argsort(self.values, descending=True, stable=True)[:count]
        return [Feature(self.sae, i) for i in order.tolist()]

    def frame(self) -> pd.DataFrame:
        """All features as a table: unit, layer, index, score, share of the positive total."""
        score = self.values.numpy()
        index = np.arange(len(score))
        positive = score.clip(min=0)
        return pd.DataFrame(
            {
                "unit": [f"sae.{self.sae}.{i}" for i in index],
                "layer": self.layer,
                "index": index,
                "score": score,
                "share": positive / (positive.sum() or 1.0),
            }
        )


def feature_scores(
    subject: SubjectModel, sae: Sae, records: Sequence[Record], scope: Scope
) -> FeatureScores:
    """Attribute the spans in scope to the features.

    Raises:
        PlanError: if no span is in scope.
    """
    count = find_targets(subject, records, scope).spans
    values = attribution(subject, sae, records, scope)
    return FeatureScores(sae.id, sae.site.layer, values, count)
