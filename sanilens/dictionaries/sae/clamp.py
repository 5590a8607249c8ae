"""Editing features: as hooks that leave the error alone, or for good, in the weights.

    clamp    x' = x + (f' - f) W_dec      f' = 0, or value * ||x||
    bake     W := W (I - d d^T), d = W_dec[f] / ||W_dec[f]||, for every matrix that writes to the
             residual stream up to the site, and for their biases; where a norm of gain g stands
             behind, d is the direction that the norm turns into it

The clamp keeps the error x - decode(encode(x)): a clamp that changes nothing is the identity. Its
value is relative to the norm of what is read, since an absolute one means something else in every
model. Baking takes the whole direction out, not only where the feature fires, so it is not the
clamp: measure both (`sanilens bench sae` does).
"""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import PreTrainedModel

from sanilens.dictionaries.sae.sae import Sae
from sanilens.errors import PlanError
from sanilens.model.hooks import Hooks, OutputEdit
from sanilens.model.language_model import LanguageModel
from sanilens.model.parameters import Writer, residual_writers


def clamped_features(model: LanguageModel, sae: Sae, values: Mapping[int, float]) -> Hooks:
    """Hooks that set features to `values` times the norm of the activation that is read.

    A feature is set only where it fires: elsewhere there is nothing to take away, and a negative
    value everywhere would break the text. The first token is left alone: its activation is unlike
    all others, and nothing sensitive can stand in it.
    """
    indices = list(values)
    directions = sae.directions(indices)

    def edit(x: Float[Tensor, "batch pos d"]) -> Float[Tensor, "batch pos d"]:
        now = sae.features(x)[..., indices]
        wanted = now.new_tensor(list(values.values())) * x.norm(dim=-1, keepdim=True).to(now)
        change = torch.where(now > 0, wanted - now, torch.zeros_like(now))
        if x.shape[1] > 1:
            change[:, 0] = 0
        return x + (change @ directions.to(change)).to(x.dtype)

    return sae.site.hooks(model.sites, edit) if indices else Hooks()


def cleared_per_row(model: LanguageModel, sae: Sae, sets: Sequence[Sequence[int]]) -> Hooks:
    """Hooks under which row i of the batch runs without the features of set i.

    Each as `clamped_features` does it; many ablations in one pass.
    """
    every = sorted({feature for features in sets for feature in features})
    if not every:
        return Hooks()
    directions, place = sae.directions(every), {feature: i for i, feature in enumerate(every)}
    stays = torch.ones(len(sets), 1, len(every), dtype=torch.bool, device=directions.device)
    for row, features in enumerate(sets):
        stays[row, 0, [place[feature] for feature in features]] = False

    def edit(x: Float[Tensor, "batch pos d"]) -> Float[Tensor, "batch pos d"]:
        own = sae.features(x)[..., every].clamp(min=0).masked_fill(stays, 0)
        if x.shape[1] > 1:
            own[:, 0] = 0
        return x - (own @ directions.to(own)).to(x.dtype)

    return sae.site.hooks(model.sites, edit)


def baked_features(model: LanguageModel, sae: Sae, features: Sequence[int]) -> Hooks:
    """Hooks under which the model computes what `bake_` writes into its weights."""
    if not features:
        return Hooks()
    directions = sae.directions(list(features)).float()

    def project(writer: Writer) -> OutputEdit:
        basis = writer.along(directions)

        def edit(_x: Tensor, output: Tensor) -> Tensor:
            return output - (output @ basis.to(output)) @ basis.T.to(output)

        return edit

    writers = residual_writers(model, sae.site.layer, _part(sae))
    return Hooks(outputs={writer.slice.module: project(writer) for writer in writers})


@torch.no_grad()
def bake_(model: LanguageModel, sae: Sae, features: Sequence[int]) -> None:
    """Take the features' directions out of all weights that write them; see the module.

    Raises:
        PlanError: if the autoencoder does not read the residual stream or what is added to it.
    """
    if not features:
        return
    directions = sae.directions(list(features)).float()
    _untie_(model.module)
    for writer in residual_writers(model, sae.site.layer, _part(sae)):
        weight, basis = writer.slice.parameter.data, writer.along(directions)
        last = writer.slice.dim == weight.dim() - 1
        along = weight.float() if last else weight.float().T
        kept = along - (along @ basis) @ basis.T
        weight.copy_(kept if last else kept.T)


def _untie_(model: PreTrainedModel) -> None:
    """Give the unembedding its own weights: it reads the stream and must not change."""
    head, embedding = model.get_output_embeddings(), model.get_input_embeddings()
    if head is not None and head.weight is embedding.weight:
        head.weight = nn.Parameter(head.weight.detach().clone(), requires_grad=False)
        model.config.get_text_config().tie_word_embeddings = False
        model.config.tie_word_embeddings = False


def _part(sae: Sae) -> str:
    """Which writers to the residual stream make what the autoencoder reads."""
    match sae.site.point:
        case "hook_resid_post":
            return "all"
        case "hook_attn_out":
            return "attention"
        case "hook_mlp_out":
            return "mlp"
        case "mlp.hook_post":
            raise PlanError(f"sae.{sae.id}: features of neurons cannot be baked; zero the neurons.")
