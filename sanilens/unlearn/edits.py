"""Edit operations, each as a hook and, where it can be exact, in the weights.

reset   neuron j gets the base model's rows of W_in (and gate), biases and column of W_out
zero    a_j := 0                 in weights: W_out[:, j] := 0
mean    a_j := its mean          in weights: b_out += mean * W_out[:, j]; W_out[:, j] := 0
clamp   a_j := v                 the same with v; needs an output bias to be exact
cap     a_j := min(a_j, c)       a hook only: no weights compute a minimum
"""

from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers.pytorch_utils import Conv1D

from sanilens.errors import PlanError
from sanilens.model.hooks import Hooks, OutputEdit
from sanilens.model.interventions import by_layer, clamped
from sanilens.model.sites import neuron_parameters
from sanilens.model.subject import SubjectModel
from sanilens.model.units import Neuron
from sanilens.unlearn.plan import UnitEdit


def check_units(subject: SubjectModel, edits: Iterable[UnitEdit]) -> None:
    """Refuse units that the model does not have.

    Raises:
        PlanError: naming the first such unit and what the model has.
    """
    layers, width = subject.sites.n_layers, subject.sites.d_mlp
    for edit in edits:
        neuron = edit.neuron
        if neuron.layer >= layers or neuron.index >= width:
            raise PlanError(
                f"unit {edit.unit} does not exist: {subject.name} has layers 0 to {layers - 1} "
                f"of {width} neurons."
            )


def is_exact_in_weights(subject: SubjectModel, edit: UnitEdit) -> bool:
    """Whether the edit can be written into the weights without changing what it means."""
    if edit.operation in ("mean", "clamp"):
        return _out_bias(subject, edit.neuron.layer) is not None
    return edit.operation in ("reset", "zero")


def edit_hooks(
    subject: SubjectModel,
    edits: Sequence[UnitEdit],
    base: SubjectModel | None = None,
    seed: int = 0,
) -> Hooks:
    """Hooks under which the untouched model computes what the edits say.

    Args:
        subject: the examined model.
        edits: what to do; units of the model.
        base: the model to reset to; without one, resets draw from the initialiser.
        seed: decides that draw.
    """
    check_units(subject, edits)
    values: dict[Neuron, float] = {}
    for e in edits:
        if e.operation in ("zero", "mean", "clamp"):
            values[e.neuron] = 0.0 if e.value is None else e.value
    caps = {e.neuron: e.value for e in edits if e.operation == "cap" and e.value is not None}
    activation = clamped(subject, values, caps)
    outputs: dict[str, OutputEdit] = {}
    for layer, indices in by_layer(_reset_units(edits)).items():
        outputs |= _reset_hooks(subject, layer, indices, base, seed)
    return Hooks(activation.inputs, outputs)


@torch.no_grad()
def apply_edits_(
    subject: SubjectModel,
    edits: Sequence[UnitEdit],
    base: SubjectModel | None = None,
    seed: int = 0,
) -> tuple[UnitEdit, ...]:
    """Write the edits into the model's weights; returns those that can live as hooks only."""
    check_units(subject, edits)
    for layer, indices in by_layer(_reset_units(edits)).items():
        slices = neuron_parameters(subject.model, subject.sites.mlps[layer], indices)
        fresh = _reset_values(subject, layer, indices, base, seed)
        for (parameter, dim, index), value in zip(slices, fresh, strict=True):
            parameter.index_copy_(dim, index, value.to(parameter))
    for edit in edits:
        if edit.operation in ("zero", "mean", "clamp") and is_exact_in_weights(subject, edit):
            _fix_output_(subject, edit.neuron, edit.value or 0.0)
    return tuple(e for e in edits if not is_exact_in_weights(subject, e))


def _reset_units(edits: Iterable[UnitEdit]) -> list[Neuron]:
    return [e.neuron for e in edits if e.operation == "reset"]


def _fix_output_(subject: SubjectModel, neuron: Neuron, value: float) -> None:
    out = subject.model.get_submodule(subject.sites.mlps[neuron.layer].out)
    weight = out.get_parameter("weight")
    column = weight[neuron.index] if isinstance(out, Conv1D) else weight[:, neuron.index]
    bias = _out_bias(subject, neuron.layer)
    if value and bias is not None:
        bias += value * column
    column.zero_()


def _out_bias(subject: SubjectModel, layer: int) -> nn.Parameter | None:
    bias = getattr(subject.model.get_submodule(subject.sites.mlps[layer].out), "bias", None)
    return bias if isinstance(bias, nn.Parameter) else None


def _reset_values(
    subject: SubjectModel, layer: int, indices: list[int], base: SubjectModel | None, seed: int
) -> list[Float[Tensor, "..."]]:
    """New values of every slice of `neuron_parameters`, in its order."""
    site = subject.sites.mlps[layer]
    if base is not None:
        if (base.sites.d_mlp, base.sites.n_layers) != (subject.sites.d_mlp, subject.sites.n_layers):
            raise PlanError(f"{base.name} and {subject.name} differ in shape: not its base model.")
        own = neuron_parameters(base.model, base.sites.mlps[layer], indices)
        return [p.index_select(d, i).to(subject.device) for p, d, i in own]
    return [
        _initialised(subject, parameter, dim, index, (seed, layer, number), indices)
        for number, (parameter, dim, index) in enumerate(
            neuron_parameters(subject.model, site, indices)
        )
    ]


def _initialised(
    subject: SubjectModel,
    parameter: nn.Parameter,
    dim: int,
    index: Tensor,
    key: tuple[int, int, int],
    indices: list[int],
) -> Tensor:
    """Fresh values as the architecture's initialiser draws them: N(0, initializer_range), bias 0.

    A whole tensor is drawn and sliced, so a unit's values do not depend on the plan's other units.
    """
    if parameter.dim() == 1:
        return torch.zeros(len(index), device=parameter.device, dtype=parameter.dtype)
    generator = torch.Generator().manual_seed(hash(key) % 2**63)
    deviation = getattr(subject.model.config.get_text_config(), "initializer_range", 0.02)
    drawn = torch.randn(parameter.shape, generator=generator) * deviation
    return drawn.to(parameter).index_select(dim, index)


def _reset_hooks(
    subject: SubjectModel, layer: int, indices: list[int], base: SubjectModel | None, seed: int
) -> dict[str, OutputEdit]:
    """Hooks that replace the neurons' reads, and add what their new writes change.

    Reads: (x W_in^T + b)[rows] := x W_base[rows]^T + b_base[rows].
    Writes: out += a_J (W_base - W)[:, J]^T, with a_J as the replaced reads make it.
    """
    site = subject.sites.mlps[layer]
    slices = neuron_parameters(subject.model, site, indices)
    fresh = _reset_values(subject, layer, indices, base, seed)
    outputs: dict[str, OutputEdit] = {}
    at = 0
    for path in site.reads:
        module = subject.model.get_submodule(path)
        rows, weight = slices[at][2], _rows(module, fresh[at])
        at += 1
        bias = None
        if isinstance(getattr(module, "bias", None), nn.Parameter):
            bias, at = fresh[at], at + 1
        outputs[path] = _replace_rows(rows, weight, bias)
    parameter, dim, columns = slices[at]
    change = fresh[at] - parameter.detach().index_select(dim, columns)
    out = subject.model.get_submodule(site.out)
    outputs[site.out] = _add_write(columns, change.T if isinstance(out, Conv1D) else change)
    return outputs


def _rows(module: nn.Module, weight: Tensor) -> Float[Tensor, "units d_in"]:
    return weight.T if isinstance(module, Conv1D) else weight


def _replace_rows(rows: Tensor, weight: Tensor, bias: Tensor | None) -> OutputEdit:
    def edit(x: Tensor, output: Tensor) -> Tensor:
        return output.index_copy(-1, rows, linear(x, weight, bias).to(output))

    return edit


def _add_write(columns: Tensor, change: Float[Tensor, "d_out units"]) -> OutputEdit:
    def edit(x: Tensor, output: Tensor) -> Tensor:
        return output + linear(x[..., columns], change)

    return edit
