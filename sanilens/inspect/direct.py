"""What a unit says by itself: the tokens that its write to the residual stream makes likelier.

    effect = W_U w,    mean over the vocabulary taken off, since a shift of all logits says nothing

w of a neuron is its column of the output projection, of a feature its decoder direction, both per
unit of activation; of a head, which writes something else at every token, the mean of what it
writes at its strongest places. A feature of neurons writes through their output projection. A
final norm's per-channel gain is not applied: adapters differ in where they keep it.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.inspect.readers import NO_SAES, Saes, find_sae
from sanilens.model.align import Encoded, decoded
from sanilens.model.batches import pad_right
from sanilens.model.forward import logits_at
from sanilens.model.hooks import Hooks
from sanilens.model.parameters import write_weights
from sanilens.model.subject import SubjectModel
from sanilens.model.units import Feature, Head, Neuron, Unit

Tokens = tuple[tuple[str, float], ...]
Place = tuple[Encoded, int]
"""A record as tokens, and a position in it."""


@torch.inference_mode()
def direct_effect(
    subject: SubjectModel,
    unit: Unit,
    places: Sequence[Place],
    saes: Saes = NO_SAES,
    count: int = 6,
) -> tuple[Tokens, Tokens]:
    """Tokens that the unit's write promotes and suppresses most, with the change of their logits.

    `places` are those where a head is strongest, `saes` hold a feature's autoencoder.
    """
    unembed = subject.model.get_submodule(subject.sites.unembed).get_parameter("weight")
    write = written(subject, unit, places, saes)
    effect: Float[Tensor, " vocab"] = unembed.float() @ write.to(unembed.device)
    effect = effect - effect.mean()
    high, low = effect.topk(count), (-effect).topk(count)
    return _named(subject, high.indices, high.values), _named(subject, low.indices, -low.values)


@torch.inference_mode()
def written(
    subject: SubjectModel, unit: Unit, places: Sequence[Place], saes: Saes = NO_SAES
) -> Float[Tensor, " d_model"]:
    """The direction that the unit writes."""
    match unit:
        case Neuron(layer, index):
            return write_weights(subject, "mlp", layer)[index].float()
        case Head():
            return _mean_write(subject, unit, places)
        case Feature(_, index):
            sae = find_sae(saes, [unit])
            direction = sae.directions([index])[0].float()
            if sae.site.point != "mlp.hook_post":
                return direction
            return direction @ write_weights(subject, "mlp", sae.site.layer).float()


def _mean_write(
    subject: SubjectModel, head: Head, places: Sequence[Place]
) -> Float[Tensor, " d_model"]:
    """mean_t z_{h,t} W_O^h over the places."""
    # What follows a place changes nothing there: the model is causal.
    ids = pad_right([encoded.ids[: at + 1] for encoded, at in places], subject.device)
    rows = torch.arange(len(places), device=subject.device)
    at = torch.tensor([position for _, position in places], device=subject.device)
    columns = subject.sites.columns("head", [head.index])
    seen: list[Tensor] = []

    def capture(z: Float[Tensor, "batch pos width"]) -> None:
        seen.append(z[rows, at][:, columns].float().mean(0))

    logits_at(subject, ids, rows, at, Hooks({subject.sites.outs("head")[head.layer]: capture}))
    return seen[0] @ write_weights(subject, "head", head.layer)[columns].float()


def _named(subject: SubjectModel, ids: Tensor, values: Tensor) -> Tokens:
    texts = [decoded(subject, [int(i)]) for i in ids]
    return tuple(zip(texts, values.tolist(), strict=True))
