"""Edit operations, each as a hook and, where it can be exact, in the weights.

reset   the unit gets the base model's parameters (model/parameters.py says which are its own)
initialise  it gets fresh ones (unlearn/resets.py, which also has the edits of rows)
zero    a_j := 0                 in weights: W_out[:, j] := 0; a head: all its columns of W_O
mean    a_j := its mean          in weights: b_out += mean * W_out[:, j]; W_out[:, j] := 0
clamp   a_j := v                 the same with v; needs an output bias to be exact
cap     a_j := min(a_j, c)       a hook only: no weights compute a minimum

Of a feature of an autoencoder, zero and clamp are hooks only; bake takes its direction out of the
weights (dictionaries/sae/clamp.py). Codes of a codebook are deleted by hooks alone
(dictionaries/codebook/bottleneck.py): the weights keep what they say, and without the hooks say it.
"""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import nn

from sanilens.dictionaries.codebook.bottleneck import WAYS, Deletion, Way, bottleneck
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.dictionaries.dictionary import Dictionary
from sanilens.dictionaries.sae.clamp import bake_, baked_features, clamped_features
from sanilens.dictionaries.sae.sae import Sae
from sanilens.errors import PlanError
from sanilens.inspect.units.readers import NO_SAES
from sanilens.model.hooks import Hooks
from sanilens.model.interventions import clamped
from sanilens.model.language_model import LanguageModel
from sanilens.model.parameters import write_slice
from sanilens.model.units import Code, Feature, Head, LayerUnit, Neuron, kind_of
from sanilens.unlearn.plan import UnitEdit
from sanilens.unlearn.resets import (
    replace_,
    row_edits,
    row_hooks,
    row_values,
    unit_reset_hooks,
    unit_resets,
)

Dictionaries = Mapping[str, Dictionary]
"""Autoencoders and codebooks by their id: what features and codes are units of."""


def layer_edits(edits: Iterable[UnitEdit]) -> list[tuple[UnitEdit, LayerUnit]]:
    """The edits of the model's own units: neurons and heads, no rows, no features."""
    pairs = [(edit, edit.parsed) for edit in edits]
    return [(edit, unit) for edit, unit in pairs if isinstance(unit, Neuron | Head)]


def edited_units(edits: Iterable[UnitEdit]) -> list[LayerUnit]:
    """The neurons and heads that are edited."""
    return [unit for _, unit in layer_edits(edits)]


def check_units(
    model: LanguageModel, edits: Iterable[UnitEdit], saes: Dictionaries = NO_SAES
) -> None:
    """Refuse units that do not exist here, and edits that the model does not allow.

    Raises:
        PlanError: naming the first such unit and what the model has, or why the edit cannot be.
    """
    edits = list(edits)
    model.sites.check(edited_units(edits), model.name)
    for edit, unit in layer_edits(edits):
        if edit.operation in ("reset", "initialise", "rewrite"):
            model.sites.require("neuron-weights" if kind_of(unit) == "mlp" else "head-weights")
    for _, row in row_edits(edits):
        site = model.sites.linear(row.layer, row.part)
        if row.index >= site.rows:
            raise PlanError(f"unit {row} does not exist: that projection has {site.rows:,} rows.")
    for name, own in feature_edits(edits).items():
        if name not in saes:
            raise PlanError(f"sae.{name}: this autoencoder is not open. Name its folder (saes).")
        saes[name].site.check(model.sites)
        if any(edit.operation == "bake" for edit in own.values()):
            stream = saes[name].site.point == "hook_resid_post"
            model.sites.require("baking-stream" if stream else "baking")
        units = [edit.parsed for edit in own.values()]
        codes = isinstance(units[0], Code)
        if codes != isinstance(saes[name], Codebook):
            what = "an autoencoder has features, a codebook codes"
            raise PlanError(f"unit {units[0]} does not exist: {what}.")
        if max(own) >= (width := saes[name].width):
            what = "codes" if codes else "features"
            raise PlanError(f"unit {own[max(own)].unit} does not exist: it has {width:,} {what}.")


def is_exact_in_weights(model: LanguageModel, edit: UnitEdit) -> bool:
    """Whether the edit can be written into the weights without changing what it means."""
    unit = edit.parsed
    if isinstance(unit, Feature):
        return edit.operation == "bake"
    if isinstance(unit, Neuron | Head) and edit.operation in ("mean", "clamp"):
        return _out_bias(model, unit) is not None
    return edit.operation in ("reset", "initialise", "zero", "rewrite")


def edit_hooks(
    model: LanguageModel,
    edits: Sequence[UnitEdit],
    base: LanguageModel | None = None,
    seed: int = 0,
    saes: Dictionaries = NO_SAES,
) -> Hooks:
    """Hooks under which the untouched model computes what the edits say.

    Args:
        model: the examined model.
        edits: what to do; units of the model.
        base: the model to reset to; without one, resets draw from the initialiser.
        seed: decides that draw.
        saes: the autoencoders whose features are edited, by id.
    """
    check_units(model, edits, saes)
    values: dict[LayerUnit, float] = {}
    caps: dict[Neuron, float] = {}
    for edit, unit in layer_edits(edits):
        if edit.operation in ("zero", "mean", "clamp"):
            values[unit] = 0.0 if edit.value is None else edit.value
        elif edit.operation == "cap" and isinstance(unit, Neuron) and edit.value is not None:
            caps[unit] = edit.value
    hooks = clamped(model, values, caps)
    resets = unit_resets(model, layer_edits(edits), base, seed)
    hooks = hooks.then(unit_reset_hooks(model, resets))
    hooks = hooks.then(row_hooks(model, row_values(model, edits, base, seed)))
    for name, own in feature_edits(edits).items():
        hooks = hooks.then(_feature_hooks(model, saes[name], own))
    return hooks


def _feature_hooks(
    model: LanguageModel, dictionary: Dictionary, own: Mapping[int, UnitEdit]
) -> Hooks:
    """Hooks for the edits of one autoencoder, or one codebook; a codebook's are all of one way."""
    if isinstance(dictionary, Codebook):
        ways: list[Way] = [way for way in WAYS if way == next(iter(own.values())).operation]
        return bottleneck(model, dictionary, own, *ways)
    assert isinstance(dictionary, Sae), "a new kind of dictionary says here what its edits are"
    baked = [f for f, edit in own.items() if edit.operation == "bake"]
    held = {f: edit.value or 0.0 for f, edit in own.items() if f not in baked}
    return baked_features(model, dictionary, baked).then(clamped_features(model, dictionary, held))


@torch.no_grad()
def apply_edits_(
    model: LanguageModel,
    edits: Sequence[UnitEdit],
    base: LanguageModel | None = None,
    seed: int = 0,
    saes: Dictionaries = NO_SAES,
) -> tuple[UnitEdit, ...]:
    """Write the edits into the model's weights; return those that can only live as hooks."""
    check_units(model, edits, saes)
    replace_(unit_resets(model, layer_edits(edits), base, seed))
    # Before activations are fixed, which depends on what the output projection then says.
    replace_(row_values(model, edits, base, seed))
    for edit, unit in layer_edits(edits):
        if edit.operation in ("zero", "mean", "clamp") and is_exact_in_weights(model, edit):
            _fix_output_(model, unit, edit.value or 0.0)
    for name, own in feature_edits(edits).items():
        baked = [f for f, edit in own.items() if edit.operation == "bake"]
        if baked and isinstance(sae := saes[name], Sae):
            bake_(model, sae, baked)
    return tuple(e for e in edits if not is_exact_in_weights(model, e))


def feature_edits(edits: Iterable[UnitEdit]) -> dict[str, dict[int, UnitEdit]]:
    """The edits of features, by autoencoder and feature."""
    found: dict[str, dict[int, UnitEdit]] = {}
    for edit in edits:
        if isinstance(unit := edit.parsed, Feature):
            found.setdefault(unit.sae, {})[unit.index] = edit
    return found


def code_edits(deletion: Deletion) -> tuple[UnitEdit, ...]:
    """A deletion of codes as edits of a plan."""
    return tuple(
        UnitEdit(unit=str(Code(deletion.codebook, code)), operation=deletion.way)
        for code in deletion.codes
    )


def _fix_output_(model: LanguageModel, unit: LayerUnit, value: float) -> None:
    slice_ = write_slice(model, kind_of(unit), unit.layer, [unit.index])
    weight, columns = slice_.parameter, slice_.indices
    bias = _out_bias(model, unit)
    if value and bias is not None:
        bias += value * weight.index_select(slice_.dim, columns).sum(slice_.dim)
    weight.index_fill_(slice_.dim, columns, 0.0)


def _out_bias(model: LanguageModel, unit: LayerUnit) -> nn.Parameter | None:
    path = model.sites.outs(kind_of(unit))[unit.layer]
    bias = getattr(model.module.get_submodule(path), "bias", None)
    return bias if isinstance(bias, nn.Parameter) else None
