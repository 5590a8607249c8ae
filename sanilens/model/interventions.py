"""Activation edits of a model's own units, as hooks: set them to a value, or cap them.

The hooks sit on the input of the output projections: of the MLP, whose coordinates are neurons,
and of the attention, where each head is a slice.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sanilens.model.hooks import Hooks, InputEdit
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import Head, LayerUnit, Neuron, UnitKind, kind_of

U = TypeVar("U", Neuron, Head, LayerUnit)
Place = tuple[UnitKind, int]
"""A kind of unit and a layer: one module's units."""


def by_place(units: Iterable[LayerUnit]) -> dict[Place, list[int]]:
    """Indices of the units of each kind and layer, in the order given."""
    places: dict[Place, list[int]] = defaultdict(list)
    for unit in units:
        places[kind_of(unit), unit.layer].append(unit.index)
    return dict(places)


def zeroed(model: LanguageModel, units: Iterable[LayerUnit]) -> Hooks:
    """Hooks that set the values of `units` to zero at every position."""
    return clamped(model, dict.fromkeys(units, 0.0), {})


def clamped(model: LanguageModel, values: Mapping[U, float], caps: Mapping[Neuron, float]) -> Hooks:
    """Hooks that set units to fixed `values` (a := v) and cap others (a := min(a, c))."""
    sites = model.sites
    inputs: dict[str, InputEdit] = {}
    for kind, layer in sorted(by_place((*values, *caps))):
        fixed = {
            column: value
            for unit, value in values.items()
            if (kind_of(unit), unit.layer) == (kind, layer)
            for column in sites.columns(kind, [unit.index])
        }
        capped = {n.index: c for n, c in caps.items() if kind == "mlp" and n.layer == layer}
        inputs[sites.outs(kind)[layer]] = _edit(fixed, capped)
    return Hooks(inputs)


def zeroed_per_row(model: LanguageModel, sets: Sequence[Sequence[LayerUnit]]) -> Hooks:
    """Hooks under which row i of the batch runs without the units of set i.

    Many ablations in one pass; an empty set leaves its row alone.
    """
    sites = model.sites
    gone: dict[str, Bool[Tensor, "row 1 width"]] = {}
    for row, units in enumerate(sets):
        for (kind, layer), indices in by_place(units).items():
            path = sites.outs(kind)[layer]
            if path not in gone:
                width = sites.count(kind) * sites.size(kind)
                gone[path] = torch.zeros(len(sets), 1, width, dtype=torch.bool, device=model.device)
            gone[path][row, 0, sites.columns(kind, indices)] = True

    def edit(own: Bool[Tensor, "row 1 width"]) -> InputEdit:
        return lambda x: x.masked_fill(own, 0)

    return Hooks({path: edit(own) for path, own in gone.items()})


def _edit(fixed: Mapping[int, float], capped: Mapping[int, float]) -> InputEdit:
    def edit(x: Float[Tensor, "... width"]) -> Float[Tensor, "... width"]:
        x = x.clone()
        if fixed:
            x[..., list(fixed)] = x.new_tensor(list(fixed.values()))
        if capped:
            x[..., list(capped)] = x[..., list(capped)].minimum(x.new_tensor(list(capped.values())))
        return x

    return edit


_ends: ContextVar[Tensor | None] = ContextVar("prompt_ends", default=None)


@contextmanager
def prompts_end_at(where: Bool[Tensor, "batch pos"]) -> Iterator[None]:
    """Tell the forward passes of the block which positions are ends of prompts."""
    token = _ends.set(where)
    try:
        yield
    finally:
        _ends.reset(token)


def mask_of(
    ids: Int[Tensor, "batch pos"], where: Sequence[tuple[int, int]]
) -> Bool[Tensor, "batch pos"]:
    """A mask of (row, column) places."""
    mask = torch.zeros_like(ids, dtype=torch.bool)
    rows, columns = zip(*where, strict=True) if where else ((), ())
    mask[list(rows), list(columns)] = True
    return mask


def prompt_ends(h: Float[Tensor, "batch pos d_model"]) -> Bool[Tensor, "batch pos"]:
    """Ends of prompts in a forward pass over `h`.

    Unless told: the last position of a text that is read, and none of a text that is being
    written token by token.
    """
    told = _ends.get()
    if told is not None:
        return told
    ends = torch.zeros(h.shape[:2], dtype=torch.bool, device=h.device)
    ends[:, -1] = h.shape[1] > 1
    return ends
