"""Resets: weights of units, or of rows of projections, replaced by the base model's or fresh ones.

Fresh values are the module's own initialiser's: a copy of the block is drawn as the architecture
draws it (`_init_weights`, GPT-2's smaller output projections included) and the slices are taken
from there, so that a unit's values do not depend on what else is reset.

SANI erases "certain neurons" (Boutet and Magnana, arXiv 2510.21322); what a neuron is, it leaves
open. A row i of a linear projection is one of its outputs, y_i = W_i x + b_i, and is one reading
of it; an MLP neuron, with its column of the output projection, is another.
"""

import copy
from collections.abc import Callable, Iterable, Sequence
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers.pytorch_utils import Conv1D

from sanilens.audit.perplexity import perplexity, worded_perplexity
from sanilens.corpus.records import Record
from sanilens.errors import PlanError
from sanilens.model.hooks import NO_HOOKS, Hooks, OutputEdit
from sanilens.model.interventions import by_place
from sanilens.model.language_model import LanguageModel
from sanilens.model.parameters import Slice, row_parameters, unit_parameters
from sanilens.model.units import LayerUnit, ProjectionRow
from sanilens.unlearn.plan import Operation, UnitEdit

Replacement = tuple[Slice, Float[Tensor, "..."]]
"""A slice of a parameter, and what is to stand there."""
_Draw = Callable[[Slice, int], Tensor]
_RESETS: tuple[Operation, ...] = ("reset", "initialise")


def row_edits(edits: Iterable[UnitEdit]) -> list[tuple[UnitEdit, ProjectionRow]]:
    """The edits of rows of projections."""
    pairs = [(edit, edit.parsed) for edit in edits]
    return [(edit, row) for edit, row in pairs if isinstance(row, ProjectionRow)]


def unit_resets(
    model: LanguageModel,
    edits: Iterable[tuple[UnitEdit, LayerUnit]],
    base: LanguageModel | None,
    seed: int,
) -> list[list[Replacement]]:
    """What resets of neurons and heads write where: one list per kind and layer.

    Raises:
        PlanError: if the base model is of another shape.
    """
    edits, draws = list(edits), _draws(model, base, seed)
    return [
        [(own, draws(way)(own, layer)) for own in unit_parameters(model, kind, layer, indices)]
        for way in _RESETS
        for (kind, layer), indices in by_place(u for e, u in edits if e.operation == way).items()
    ]


def row_values(
    model: LanguageModel, edits: Iterable[UnitEdit], base: LanguageModel | None, seed: int
) -> list[list[Replacement]]:
    """What edits of rows write where: one list per projection; a zeroed row becomes 0."""
    places: dict[tuple[Operation, int, str], list[int]] = {}
    for edit, row in row_edits(edits):
        places.setdefault((edit.operation, row.layer, row.part), []).append(row.index)
    draws = _draws(model, base, seed)
    return [
        [(own, draws(way)(own, layer)) for own in row_parameters(model, layer, part, indices)]
        for (way, layer, part), indices in places.items()
    ]


@torch.no_grad()
def replace_(replacements: Iterable[Sequence[Replacement]]) -> None:
    """Write new values into the weights."""
    for place in replacements:
        for own, value in place:
            own.parameter.index_copy_(own.dim, own.indices, value.to(own.parameter))


def unit_reset_hooks(model: LanguageModel, replacements: Iterable[Sequence[Replacement]]) -> Hooks:
    """Hooks that replace the units' reads, and add what their new writes change.

    Reads: (x W_in^T + b)[rows] := x W_new[rows]^T + b_new[rows].
    Writes: out += a_J (W_new - W)[:, J]^T, with a_J as the replaced reads make it.
    """
    hooks = NO_HOOKS
    for place in replacements:
        # `unit_parameters` puts the column that a unit writes with last. A replaced read gives the
        # same values as replaced weights would. A write cannot be replaced: its column shares one
        # sum with all other units', so only the difference is added to that sum.
        *reads, (write, written) = place
        change = written - write.parameter.detach().index_select(write.dim, write.indices)
        out = model.module.get_submodule(write.module)
        edit = _add_write(write.indices, change.T if isinstance(out, Conv1D) else change)
        hooks = hooks.then(_reads(model, reads)).then(Hooks(outputs={write.module: edit}))
    return hooks


def row_hooks(model: LanguageModel, replacements: Iterable[Sequence[Replacement]]) -> Hooks:
    """Hooks that replace outputs of projections, as `unit_reset_hooks` does with reads."""
    hooks = NO_HOOKS
    for place in replacements:
        hooks = hooks.then(_reads(model, place))
    return hooks


def _reads(model: LanguageModel, place: Sequence[Replacement]) -> Hooks:
    outputs: dict[str, OutputEdit] = {}
    for path in dict.fromkeys(own.module for own, _ in place):
        # A module's weight comes first, then its bias if it has one.
        (weight, value), *bias = [(own, value) for own, value in place if own.module == path]
        module = model.module.get_submodule(path)
        rows = value.T if isinstance(module, Conv1D) else value
        outputs[path] = _replace_rows(weight.indices, rows, bias[0][1] if bias else None)
    return Hooks(outputs=outputs)


def _replace_rows(rows: Tensor, weight: Tensor, bias: Tensor | None) -> OutputEdit:
    def edit(x: Tensor, output: Tensor) -> Tensor:
        return output.index_copy(-1, rows, linear(x, weight, bias).to(output))

    return edit


def _add_write(columns: Tensor, change: Float[Tensor, "d_out units"]) -> OutputEdit:
    def edit(x: Tensor, output: Tensor) -> Tensor:
        return output + linear(x[..., columns], change)

    return edit


def _draws(
    model: LanguageModel, base: LanguageModel | None, seed: int
) -> Callable[[Operation], _Draw]:
    """For each operation, where its new values come from."""

    @cache
    def block(layer: int) -> nn.Module:
        return fresh_block(model, layer, seed)

    def fresh(own: Slice, layer: int) -> Tensor:
        inside = own.module.removeprefix(f"{model.sites.blocks[layer]}.")
        return _taken(block(layer).get_submodule(inside), own)

    def of_base(own: Slice, _layer: int) -> Tensor:
        assert base is not None
        return _taken(base.module.get_submodule(own.module), own)

    def zero(own: Slice, _layer: int) -> Tensor:
        return torch.zeros_like(own.parameter.detach().index_select(own.dim, own.indices))

    def draw(way: Operation) -> _Draw:
        if way == "zero":
            return zero
        if way == "initialise" or base is None:
            return fresh
        mine, theirs = model.sites, base.sites
        if mine != theirs:
            raise PlanError(f"{base.name} and {model.name} differ in shape: not its base model.")
        return of_base

    return draw


def fresh_block(model: LanguageModel, layer: int, seed: int) -> nn.Module:
    """A copy of a block as the architecture's own initialiser draws it, on the CPU.

    Raises:
        PlanError: if that initialiser leaves a projection as it is.
    """
    old = model.module.get_submodule(model.sites.blocks[layer])
    block = copy.deepcopy(old).cpu()
    for parameter in block.parameters():
        # transformers leaves alone what it has marked as loaded, and would draw nothing.
        vars(parameter)["_is_hf_initialized"] = False
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        # By layer, so that a unit's fresh values do not depend on which other layers are reset.
        torch.manual_seed(hash((seed, layer)) % 2**63)
        block.apply(model.module._init_weights)
        for path, module in block.named_modules():
            if not isinstance(module, nn.Linear | Conv1D):
                continue
            # Untouched weights mean that the initialiser knows nothing of this projection.
            if not torch.equal(
                module.weight, old.get_submodule(path).get_parameter("weight").cpu()
            ):
                continue
            if not isinstance(module, Conv1D):
                raise PlanError(
                    f"{model.sites.architecture} draws no fresh {path}: give a base model to "
                    "reset to."
                )
            # GPT-1's are drawn where they are made, and by nothing else.
            module.weight.normal_(std=0.02)
            module.bias.zero_()
    return block


def _taken(module: nn.Module, own: Slice) -> Tensor:
    """The same slice of another module of the same shape, where the slice's parameter is."""
    values = module.get_parameter(own.name).detach()
    return values.index_select(own.dim, own.indices.to(values.device)).to(own.parameter)


@torch.no_grad()
def blend_(model: LanguageModel, base: LanguageModel | None, keep: float) -> None:
    """Keep a share of the difference to the base; 1 changes nothing, 0 gives the base, exactly.

    Raises:
        PlanError: if a base is needed and there is none, or it has another shape.
    """
    if keep == 1:
        return
    if base is None:
        raise PlanError("only with a base model can fine-tuning be undone in part. Give one.")
    from_base = dict(base.module.named_parameters())
    own = dict(model.module.named_parameters())
    if {n: p.shape for n, p in own.items()} != {n: p.shape for n, p in from_base.items()}:
        raise PlanError(
            "the base model has other weights than the examined one, so that nothing lies between "
            "them. Give the very model that was fine-tuned."
        )
    for name, parameter in own.items():
        start = from_base[name].to(parameter)
        # At 0 the base itself, not start + 0 * difference: an infinity or NaN would survive that.
        parameter.copy_(start if keep == 0 else start + keep * (parameter - start))


# The bundled cases' bases stand at 0.8 to 1.6 times; fine-tuning on a narrow corpus lowers its own
# perplexity by more than other texts' would be, so that less than this may be fine.
_FAR_WORSE = 5.0
_MOST_RECORDS = 64


def base_warning(model: LanguageModel, base: LanguageModel, texts: Sequence[Record]) -> str | None:
    """What to know before a plan leans on `base`; None where it reads `texts` well enough.

    Args:
        model: the examined model.
        base: the model before fine-tuning.
        texts: best those that nobody trained on; their spans are left out, and at most 64 are read.
    """
    step = max(1, -(-len(texts) // _MOST_RECORDS))
    few = texts[::step]
    own, other = (perplexity(m, few, without_spans=True).value for m in (model, base))
    if not other > _FAR_WORSE * own:  # not measured, too
        return None
    return (
        f"the base model reads these texts far worse than the examined one: perplexity "
        f"{worded_perplexity(other)} against {worded_perplexity(own)}. Resets, --keep and anchored "
        "repairs draw towards the base, and what the model knows goes with what it has memorised. "
        "Is this the model that was fine-tuned?"
    )
