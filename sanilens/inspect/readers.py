"""Where each kind of unit is read, and what counts as its activation.

neuron    a = its coordinate of the input of the MLP's output projection
head      a = || z_h W_O^h ||_2, the norm of what the head writes to the residual stream there
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.errors import PlanError
from sanilens.model.hooks import Hooks, InputEdit
from sanilens.model.interventions import by_place
from sanilens.model.parameters import write_weights
from sanilens.model.subject import SubjectModel
from sanilens.model.units import Feature, LayerUnit, Unit, UnitKind, layer_unit

Values = Callable[[Float[Tensor, "batch pos width"]], Float[Tensor, "batch pos unit"]]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads some units at the input of one module; `values` gives a column per unit."""

    units: tuple[Unit, ...]
    path: str
    values: Values


def readers(subject: SubjectModel, units: Sequence[Unit]) -> list[Reader]:
    """A reader per module that has some of the units.

    Raises:
        PlanError: for a unit that the model does not have.
    """
    own = [unit for unit in units if not isinstance(unit, Feature)]
    if len(own) < len(units):
        raise PlanError("features are read through their autoencoder, which is not loaded.")
    subject.sites.check(own, subject.name)
    return [_reader(subject, kind, layer, found) for (kind, layer), found in by_place(own).items()]


def reading_hooks(found: Sequence[Reader], keep: Callable[[Reader, Tensor], None]) -> Hooks:
    """Hooks that change nothing and hand each reader's values to `keep`."""

    def hook(reader: Reader) -> InputEdit:
        def capture(x: Tensor) -> None:
            keep(reader, reader.values(x))

        return capture

    return Hooks({reader.path: hook(reader) for reader in found})


def _reader(subject: SubjectModel, kind: UnitKind, layer: int, indices: list[int]) -> Reader:
    units: tuple[LayerUnit, ...] = tuple(layer_unit(kind, layer, i) for i in indices)
    path = subject.sites.outs(kind)[layer]
    if kind == "mlp":
        every = indices == list(range(subject.sites.d_mlp))
        return Reader(units, path, (lambda x: x) if every else (lambda x: x[..., indices]))
    size = subject.sites.d_head
    weights = write_weights(subject, kind, layer).unflatten(0, (-1, size))[indices]

    def norms(z: Float[Tensor, "batch pos width"]) -> Float[Tensor, "batch pos head"]:
        heads = z.unflatten(-1, (-1, size))[..., indices, :]
        # One head after the other: all heads' writes at once would be n_heads residual streams.
        writes = (heads[..., n, :] @ w for n, w in enumerate(weights))
        return torch.stack([write.norm(dim=-1) for write in writes], dim=-1)

    return Reader(units, path, norms)
