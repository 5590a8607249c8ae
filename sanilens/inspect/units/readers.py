"""Where each kind of unit is read, and what counts as its activation.

neuron    a = its coordinate of the input of the MLP's output projection
head      a = || z_h W_O^h ||_2, the norm of what the head writes to the residual stream there,
          through the norm that some architectures have behind W_O
feature   a = f, as its autoencoder encodes what stands at its site
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.dictionaries.sae.sae import Sae
from sanilens.errors import PlanError
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.interventions import by_place
from sanilens.model.language_model import LanguageModel
from sanilens.model.parameters import writing
from sanilens.model.units import Feature, LayerUnit, Unit, UnitKind, layer_unit

Values = Callable[[Float[Tensor, "batch pos width"]], Float[Tensor, "batch pos unit"]]
Saes = Mapping[str, Sae]
"""Autoencoders by their id."""

NO_SAES: Saes = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """Reads some units at one place of the model; `values` gives a column per unit.

    `hooks` puts a function where it sees what stands there.
    """

    units: tuple[Unit, ...]
    hooks: Callable[[Callable[[Tensor], None]], Hooks]
    values: Values


def readers(model: LanguageModel, units: Sequence[Unit], saes: Saes = NO_SAES) -> list[Reader]:
    """A reader per place that has some of the units.

    Raises:
        PlanError: for a unit that neither the model nor one of `saes` has.
    """
    own = [unit for unit in units if not isinstance(unit, Feature)]
    features = [unit for unit in units if isinstance(unit, Feature)]
    model.sites.check(own, model.name)
    found = [_reader(model, kind, layer, each) for (kind, layer), each in by_place(own).items()]
    for name in dict.fromkeys(feature.sae for feature in features):
        own = [feature for feature in features if feature.sae == name]
        found.append(_feature_reader(model, find_sae(saes, own), own))
    return found


def find_sae(saes: Saes, features: Sequence[Feature]) -> Sae:
    """The autoencoder of some features of one.

    Raises:
        PlanError: if it is not among `saes`, or does not have one of them.
    """
    name, last = features[0].sae, max(feature.index for feature in features)
    if name not in saes:
        raise PlanError(f"sae.{name}: this autoencoder is not open. Name its folder (--sae).")
    if last >= saes[name].width:
        raise PlanError(
            f"unit sae.{name}.{last} does not exist: the autoencoder has {saes[name].width:,} "
            "features, counted from 0."
        )
    return saes[name]


def reading_hooks(found: Sequence[Reader], keep: Callable[[Reader, Tensor], None]) -> Hooks:
    """Hooks that change nothing and hand each reader's values to `keep`."""

    def kept(reader: Reader) -> Callable[[Tensor], None]:
        return lambda x: keep(reader, reader.values(x))

    hooks = NO_HOOKS
    for reader in found:
        hooks = hooks.then(reader.hooks(kept(reader)))
    return hooks


def _reader(model: LanguageModel, kind: UnitKind, layer: int, indices: list[int]) -> Reader:
    units: tuple[LayerUnit, ...] = tuple(layer_unit(kind, layer, i) for i in indices)
    path = model.sites.outs(kind)[layer]

    def hooks(see: Callable[[Tensor], None]) -> Hooks:
        return Hooks({path: see})

    if kind == "mlp":
        every = indices == list(range(model.sites.d_mlp))
        return Reader(units, hooks, (lambda x: x) if every else (lambda x: x[..., indices]))
    size = model.sites.d_head
    how = writing(model, kind, layer)
    weights = how.weights.unflatten(0, (-1, size))[indices]

    def norms(z: Float[Tensor, "batch pos width"]) -> Float[Tensor, "batch pos head"]:
        heads = z.unflatten(-1, (-1, size))[..., indices, :]
        # One head after the other: all heads' writes at once would be n_heads residual streams.
        writes = (heads[..., n, :] @ w for n, w in enumerate(weights))
        return how.factor(z) * torch.stack([write.norm(dim=-1) for write in writes], dim=-1)

    return Reader(units, hooks, norms)


def _feature_reader(model: LanguageModel, sae: Sae, features: Sequence[Feature]) -> Reader:
    indices = [feature.index for feature in features]
    every = indices == list(range(sae.width))
    return Reader(
        tuple(features),
        lambda see: sae.site.hooks(model.sites, see),
        lambda x: sae.features(x) if every else sae.features(x)[..., indices],
    )
