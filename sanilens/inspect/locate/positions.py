"""Where in a record a span is carried: per layer and position, by gradient × activation.

    A(l, t) = sum_n | a_{n,t} . d log p(span) / d a_{n,t} |

n runs over the layer's neurons or heads (whose activation is a vector). It is the size of what
passes there, not a net effect: parts of opposite sign do not cancel. One forward and one backward
pass over the one record.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sanilens.audit.targets import Scope, find_targets
from sanilens.corpus.records import Record
from sanilens.inspect.locate.localisers.captured import per_unit, target_logprob, with_gradients
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import LayerUnit, UnitKind, layer_unit


@dataclass(frozen=True, slots=True)
class PositionScores:
    """What passes at every layer and position of a record towards a span.

    Attributes:
        kind: neurons or heads.
        values: the module's A, in nats; 0 where the span cannot look.
        strongest: the units of the largest part at each place, largest first.
        parts: their parts, signed: positive carries the span.
    """

    kind: UnitKind
    values: Float[Tensor, "layer pos"]
    strongest: Int[Tensor, "layer pos k"]
    parts: Float[Tensor, "layer pos k"]

    def at(self, layer: int, position: int) -> list[tuple[LayerUnit, float]]:
        """The strongest units at a place, and their parts."""
        units = self.strongest[layer, position].tolist()
        parts = self.parts[layer, position].tolist()
        named = (layer_unit(self.kind, layer, unit) for unit in units)
        return [pair for pair in zip(named, parts, strict=True) if pair[1]]


def position_scores(
    model: LanguageModel, record: Record, span_id: str, kind: UnitKind, *, strongest: int = 5
) -> PositionScores:
    """Attribute one span of `record` to layers and positions.

    Raises:
        PlanError: if nothing precedes the span, or the record has none of that id.
    """
    targets = find_targets(model, [record], Scope(spans=frozenset({span_id})))
    (passage, _), (batch,) = targets.passages[0], targets.batches()
    # A record longer than the model's context is read from somewhere within.
    count = len(passage.encoded.ids)
    size, k = model.sites.size(kind), min(strongest, model.sites.count(kind))
    layers = model.sites.n_layers
    values = torch.zeros(layers, count)
    units = torch.zeros(layers, count, k, dtype=torch.long)
    parts = torch.zeros(layers, count, k)
    here = torch.tensor(passage.places)
    captured = with_gradients(model, batch, kind, target_logprob(batch))
    for layer, (activation, gradient) in enumerate(captured):
        own = per_unit(activation * gradient, size)[0].float().cpu()
        values[layer, here] = own.abs().sum(-1)
        units[layer, here] = own.abs().topk(k).indices
        parts[layer, here] = own.gather(-1, units[layer, here])
    return PositionScores(kind, values, units, parts)
