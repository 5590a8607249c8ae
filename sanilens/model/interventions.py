"""Activation edits of neurons, as hooks: set them to a value, or cap them.

The hooks sit on the input of the MLP output projections, whose coordinates are the neurons.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.model.hooks import Hooks, InputEdit
from sanilens.model.subject import SubjectModel
from sanilens.model.units import Neuron


def by_layer(neurons: Iterable[Neuron]) -> dict[int, list[int]]:
    """Neuron indices of each layer, in the order given."""
    layers: dict[int, list[int]] = defaultdict(list)
    for neuron in neurons:
        layers[neuron.layer].append(neuron.index)
    return dict(layers)


def zeroed(subject: SubjectModel, neurons: Iterable[Neuron]) -> Hooks:
    """Hooks that set the activations of `neurons` to zero at every position."""
    return clamped(subject, dict.fromkeys(neurons, 0.0), {})


def clamped(
    subject: SubjectModel, values: Mapping[Neuron, float], caps: Mapping[Neuron, float]
) -> Hooks:
    """Hooks that set neurons to fixed `values` (a := v) and cap others (a := min(a, c))."""
    inputs: dict[str, InputEdit] = {}
    for layer in sorted({n.layer for n in (*values, *caps)}):
        fixed = {n.index: v for n, v in values.items() if n.layer == layer}
        capped = {n.index: c for n, c in caps.items() if n.layer == layer}
        inputs[subject.sites.mlps[layer].out] = _edit(fixed, capped)
    return Hooks(inputs)


def one_zeroed_per_row(subject: SubjectModel, neurons: list[Neuron]) -> Hooks:
    """Hooks under which row i of the batch runs without neuron i: many ablations, one pass."""
    inputs: dict[str, InputEdit] = {}
    for layer in sorted({n.layer for n in neurons}):
        own = [(row, n.index) for row, n in enumerate(neurons) if n.layer == layer]
        rows, columns = torch.tensor(own, device=subject.device).T

        def edit(x: Tensor, rows: Tensor = rows, columns: Tensor = columns) -> Tensor:
            x = x.clone()
            x[rows, :, columns] = 0
            return x

        inputs[subject.sites.mlps[layer].out] = edit
    return Hooks(inputs)


def _edit(fixed: Mapping[int, float], capped: Mapping[int, float]) -> InputEdit:
    def edit(x: Float[Tensor, "... d_mlp"]) -> Float[Tensor, "... d_mlp"]:
        x = x.clone()
        if fixed:
            x[..., list(fixed)] = x.new_tensor(list(fixed.values()))
        if capped:
            x[..., list(capped)] = x[..., list(capped)].minimum(x.new_tensor(list(capped.values())))
        return x

    return edit
