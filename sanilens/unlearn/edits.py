"""Edit operations, each as a hook and, where it can be exact, in the weights.

reset   the unit gets the base model's parameters (model/parameters.py says which are its own)
zero    a_j := 0                 in weights: W_out[:, j] := 0; a head: all its columns of W_O
mean    a_j := its mean          in weights: b_out += mean * W_out[:, j]; W_out[:, j] := 0
clamp   a_j := v                 the same with v; needs an output bias to be exact
cap     a_j := min(a_j, c)       a hook only: no weights compute a minimum

Of a feature of an autoencoder, zero and clamp are hooks only; bake takes its direction out of the
weights (inspect/sae/clamp.py). Codes of a codebook are deleted by hooks alone
(inspect/codebook/bottleneck.py): the weights keep what they say, and without the hooks say it.
"""

from collections.abc import Iterable, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers.pytorch_utils import Conv1D

from sanilens.errors import PlanError
from sanilens.inspect.codebook.bottleneck import WAYS, Deletion, bottleneck
from sanilens.inspect.codebook.codebook import Codebook
from sanilens.inspect.readers import NO_SAES
from sanilens.inspect.sae.clamp import bake_, baked_features, clamped_features
from sanilens.inspect.sae.sae import Sae
from sanilens.model.hooks import Hooks, OutputEdit
from sanilens.model.interventions import by_place, clamped
from sanilens.model.parameters import Slice, unit_parameters
from sanilens.model.subject import SubjectModel
from sanilens.model.units import Code, Feature, LayerUnit, Neuron, UnitKind, kind_of
from sanilens.unlearn.plan import UnitEdit

Dictionaries = Mapping[str, Sae | Codebook]
"""Autoencoders and codebooks by their id: what features and codes are units of."""


def layer_edits(edits: Iterable[UnitEdit]) -> list[tuple[UnitEdit, LayerUnit]]:
    """The edits of the model's own units: neurons and heads, not features of an autoencoder."""
    pairs = [(edit, edit.target) for edit in edits]
    return [(edit, unit) for edit, unit in pairs if not isinstance(unit, Feature)]


def edited_units(edits: Iterable[UnitEdit]) -> list[LayerUnit]:
    """The neurons and heads that are edited."""
    return [unit for _, unit in layer_edits(edits)]


def check_units(
    subject: SubjectModel, edits: Iterable[UnitEdit], saes: Dictionaries = NO_SAES
) -> None:
    """Refuse units that the model, or its autoencoders, do not have.

    Raises:
        PlanError: naming the first such unit and what the model has.
    """
    subject.sites.check(edited_units(edits), subject.name)
    for name, own in feature_edits(edits).items():
        if name not in saes:
            raise PlanError(f"sae.{name}: this autoencoder is not open. Name its folder (saes).")
        units = [edit.target for edit in own.values()]
        codes = isinstance(units[0], Code)
        if codes != isinstance(saes[name], Codebook):
            what = "an autoencoder has features, a codebook codes"
            raise PlanError(f"unit {units[0]} does not exist: {what}.")
        if max(own) >= (width := saes[name].width):
            what = "codes" if codes else "features"
            raise PlanError(f"unit {own[max(own)].unit} does not exist: it has {width:,} {what}.")


def is_exact_in_weights(subject: SubjectModel, edit: UnitEdit) -> bool:
    """Whether the edit can be written into the weights without changing what it means."""
    unit = edit.target
    if isinstance(unit, Feature):
        return edit.operation == "bake"
    if edit.operation in ("mean", "clamp"):
        return _out_bias(subject, unit) is not None
    return edit.operation in ("reset", "zero")


def edit_hooks(
    subject: SubjectModel,
    edits: Sequence[UnitEdit],
    base: SubjectModel | None = None,
    seed: int = 0,
    saes: Dictionaries = NO_SAES,
) -> Hooks:
    """Hooks under which the untouched model computes what the edits say.

    Args:
        subject: the examined model.
        edits: what to do; units of the model.
        base: the model to reset to; without one, resets draw from the initialiser.
        seed: decides that draw.
        saes: the autoencoders whose features are edited, by id.
    """
    check_units(subject, edits, saes)
    values: dict[LayerUnit, float] = {}
    caps: dict[Neuron, float] = {}
    for edit, unit in layer_edits(edits):
        if edit.operation in ("zero", "mean", "clamp"):
            values[unit] = 0.0 if edit.value is None else edit.value
        elif edit.operation == "cap" and isinstance(unit, Neuron) and edit.value is not None:
            caps[unit] = edit.value
    hooks = clamped(subject, values, caps)
    for (kind, layer), indices in by_place(_reset_units(edits)).items():
        hooks = hooks.then(_reset_hooks(subject, kind, layer, indices, base, seed))
    for name, own in feature_edits(edits).items():
        hooks = hooks.then(_feature_hooks(subject, saes[name], own))
    return hooks


def _feature_hooks(
    subject: SubjectModel, dictionary: Sae | Codebook, own: Mapping[int, UnitEdit]
) -> Hooks:
    """Hooks for all edits of one autoencoder, or of one codebook, whose edits are of one way."""
    if isinstance(dictionary, Codebook):
        ways = [way for way in WAYS if way == next(iter(own.values())).operation]
        return bottleneck(subject, dictionary, own, *ways)
    baked = [f for f, edit in own.items() if edit.operation == "bake"]
    held = {f: edit.value or 0.0 for f, edit in own.items() if f not in baked}
    return baked_features(subject, dictionary, baked).then(
        clamped_features(subject, dictionary, held)
    )


@torch.no_grad()
def apply_edits_(
    subject: SubjectModel,
    edits: Sequence[UnitEdit],
    base: SubjectModel | None = None,
    seed: int = 0,
    saes: Dictionaries = NO_SAES,
) -> tuple[UnitEdit, ...]:
    """Write the edits into the model's weights; returns those that can live as hooks only."""
    check_units(subject, edits, saes)
    for (kind, layer), indices in by_place(_reset_units(edits)).items():
        slices = unit_parameters(subject, kind, layer, indices)
        fresh = _reset_values(subject, slices, kind, layer, indices, base, seed)
        for own, value in zip(slices, fresh, strict=True):
            own.parameter.index_copy_(own.dim, own.indices, value.to(own.parameter))
    for edit, unit in layer_edits(edits):
        if edit.operation in ("zero", "mean", "clamp") and is_exact_in_weights(subject, edit):
            _fix_output_(subject, unit, edit.value or 0.0)
    for name, own in feature_edits(edits).items():
        baked = [f for f, edit in own.items() if edit.operation == "bake"]
        if baked and isinstance(sae := saes[name], Sae):
            bake_(subject, sae, baked)
    return tuple(e for e in edits if not is_exact_in_weights(subject, e))


def feature_edits(edits: Iterable[UnitEdit]) -> dict[str, dict[int, UnitEdit]]:
    """The edits of features, by autoencoder and feature."""
    found: dict[str, dict[int, UnitEdit]] = {}
    for edit in edits:
        if isinstance(unit := edit.target, Feature):
            found.setdefault(unit.sae, {})[unit.index] = edit
    return found


def code_edits(deletion: Deletion) -> tuple[UnitEdit, ...]:
    """A deletion of codes as edits of a plan."""
    return tuple(
        UnitEdit(unit=str(Code(deletion.codebook, code)), operation=deletion.way)
        for code in deletion.codes
    )


def _reset_units(edits: Iterable[UnitEdit]) -> list[LayerUnit]:
    return [unit for edit, unit in layer_edits(edits) if edit.operation == "reset"]


def _fix_output_(subject: SubjectModel, unit: LayerUnit, value: float) -> None:
    slice_ = unit_parameters(subject, kind_of(unit), unit.layer, [unit.index])[-1]
    weight, columns = slice_.parameter, slice_.indices
    bias = _out_bias(subject, unit)
    if value and bias is not None:
        bias += value * weight.index_select(slice_.dim, columns).sum(slice_.dim)
    weight.index_fill_(slice_.dim, columns, 0.0)


def _out_bias(subject: SubjectModel, unit: LayerUnit) -> nn.Parameter | None:
    path = subject.sites.outs(kind_of(unit))[unit.layer]
    bias = getattr(subject.model.get_submodule(path), "bias", None)
    return bias if isinstance(bias, nn.Parameter) else None


def _reset_values(
    subject: SubjectModel,
    slices: Sequence[Slice],
    kind: UnitKind,
    layer: int,
    indices: list[int],
    base: SubjectModel | None,
    seed: int,
) -> list[Float[Tensor, "..."]]:
    """New values of every one of the units' slices, in their order."""
    if base is None:
        return [_initialised(subject, s, (seed, layer, n)) for n, s in enumerate(slices)]
    mine, theirs = subject.sites, base.sites
    if (mine.n_layers, mine.d_mlp, mine.n_heads) != (theirs.n_layers, theirs.d_mlp, theirs.n_heads):
        raise PlanError(f"{base.name} and {subject.name} differ in shape: not its base model.")
    own = unit_parameters(base, kind, layer, indices)
    return [s.parameter.index_select(s.dim, s.indices).to(subject.device) for s in own]


def _initialised(subject: SubjectModel, slice_: Slice, key: tuple[int, int, int]) -> Tensor:
    """Fresh values as the architecture's initialiser draws them: N(0, initializer_range), bias 0.

    A whole tensor is drawn and sliced, so a unit's values do not depend on the plan's other units.
    """
    parameter, index = slice_.parameter, slice_.indices
    if parameter.dim() == 1:
        return torch.zeros(len(index), device=parameter.device, dtype=parameter.dtype)
    generator = torch.Generator().manual_seed(hash(key) % 2**63)
    deviation = getattr(subject.model.config.get_text_config(), "initializer_range", 0.02)
    drawn = torch.randn(parameter.shape, generator=generator) * deviation
    return drawn.to(parameter).index_select(slice_.dim, index)


def _reset_hooks(
    subject: SubjectModel,
    kind: UnitKind,
    layer: int,
    indices: list[int],
    base: SubjectModel | None,
    seed: int,
) -> Hooks:
    """Hooks that replace the units' reads, and add what their new writes change.

    Reads: (x W_in^T + b)[rows] := x W_base[rows]^T + b_base[rows].
    Writes: out += a_J (W_base - W)[:, J]^T, with a_J as the replaced reads make it.
    """
    slices = unit_parameters(subject, kind, layer, indices)
    fresh = _reset_values(subject, slices, kind, layer, indices, base, seed)
    *reads, (write, written) = zip(slices, fresh, strict=True)
    outputs: dict[str, OutputEdit] = {}
    for path in dict.fromkeys(own.module for own, _ in reads):
        # A module's weight comes first, then its bias if it has one.
        weight, *bias = [(own, value) for own, value in reads if own.module == path]
        rows = _rows(subject.model.get_submodule(path), weight[1])
        outputs[path] = _replace_rows(weight[0].indices, rows, bias[0][1] if bias else None)
    change = written - write.parameter.detach().index_select(write.dim, write.indices)
    out = subject.model.get_submodule(write.module)
    outputs[write.module] = _add_write(
        write.indices, change.T if isinstance(out, Conv1D) else change
    )
    return Hooks(outputs=outputs)


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
