"""What a unit says on its own: the tokens that its write to the residual stream makes likelier.

    effect = W_U w,    mean over the vocabulary taken off, since a shift of all logits says nothing

w of a neuron is its column of the output projection, of a feature its decoder direction, both per
unit of activation; of a head, which writes something else at every token, the mean of what it
writes at its strongest places. A feature of neurons writes through their output projection.

w is what reaches the residual stream: where a norm stands behind the output projection (Gemma 2) it
is w through that norm, with the norm's scale held at what it is, on average, at the unit's
strongest places; Granite's multiplier counts too. The final norm's gain is not applied.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.inspect.units.readers import NO_SAES, Saes, find_sae
from sanilens.model.align import Encoded, decoded
from sanilens.model.batches import pad_right
from sanilens.model.forward import logits_at
from sanilens.model.hooks import Hooks
from sanilens.model.language_model import LanguageModel
from sanilens.model.parameters import Writing, writing
from sanilens.model.units import Feature, Head, Neuron, Unit, UnitKind

Tokens = tuple[tuple[str, float], ...]
Place = tuple[Encoded, int]
"""A record as tokens, and a position in it."""


@torch.inference_mode()
def direct_effect(
    model: LanguageModel,
    unit: Unit,
    places: Sequence[Place],
    saes: Saes = NO_SAES,
    count: int = 6,
) -> tuple[Tokens, Tokens]:
    """Tokens that the unit's write promotes and suppresses most, with the change of their logits.

    `places` are those where the unit is strongest, `saes` hold a feature's autoencoder.

    Raises:
        PlanError: if what a layer writes does not reach the unembedding as it is.
    """
    write = written(model, unit, places, saes)
    unembed = model.module.get_submodule(model.sites.unembed).get_parameter("weight")
    effect: Float[Tensor, " vocab"] = unembed.float() @ write.to(unembed.device)
    effect = effect - effect.mean()
    high, low = effect.topk(count), (-effect).topk(count)
    return _named(model, high.indices, high.values), _named(model, low.indices, -low.values)


@torch.inference_mode()
def written(
    model: LanguageModel, unit: Unit, places: Sequence[Place], saes: Saes = NO_SAES
) -> Float[Tensor, " d_model"]:
    """The direction that the unit writes.

    Raises:
        PlanError: if what a layer writes does not reach the unembedding as it is.
    """
    model.sites.require("direct")
    match unit:
        case Neuron(layer, index):
            how = writing(model, "mlp", layer)
            return how.weights[index].float() * _factor(model, how, layer, places)
        case Head(layer, index):
            how, z = writing(model, "head", layer), _at(model, "head", layer, places)
            columns = model.sites.columns("head", [index])
            mean = (z[:, columns] * how.factor(z)).mean(0)
            return mean.float() @ how.weights[columns].float()
        case Feature(_, index):
            sae = find_sae(saes, [unit])
            direction = sae.directions([index])[0].float()
            if sae.site.point != "mlp.hook_post":
                return direction
            how = writing(model, "mlp", sae.site.layer)
            factor = _factor(model, how, sae.site.layer, places)
            return direction @ how.weights.float() * factor


def _factor(model: LanguageModel, how: Writing, layer: int, places: Sequence[Place]) -> float:
    """The norm's mean factor behind a layer's MLP; 1 without a norm or without places."""
    if not how.normed or not places:
        return 1.0
    return float(how.factor(_at(model, "mlp", layer, places)).mean())


def _at(
    model: LanguageModel, kind: UnitKind, layer: int, places: Sequence[Place]
) -> Float[Tensor, "place width"]:
    """What the layer's units are at the places."""
    # What follows a place changes nothing there: the model is causal.
    ids = pad_right([encoded.ids[: at + 1] for encoded, at in places], model.device)
    rows = torch.arange(len(places), device=model.device)
    at = torch.tensor([position for _, position in places], device=model.device)
    seen: list[Tensor] = []

    def capture(values: Float[Tensor, "batch pos width"]) -> None:
        seen.append(values[rows, at])

    logits_at(model, ids, rows, at, Hooks({model.sites.outs(kind)[layer]: capture}))
    return seen[0]


def _named(model: LanguageModel, ids: Tensor, values: Tensor) -> Tokens:
    texts = [decoded(model, [int(i)]) for i in ids]
    return tuple(zip(texts, values.tolist(), strict=True))
