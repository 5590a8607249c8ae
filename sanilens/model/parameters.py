"""Which slices of a model's parameters belong to a unit: what a reset replaces.

    neuron j   row j of W_in (and gate) and of their biases, column j of W_out
    head h     its rows of W_Q, W_K, W_V and of their biases, its columns of W_O
    row i      row i of one projection and of its bias, whatever reads it

Which rows of a fused projection are whose was measured when the model was loaded
(model/measure.py). Keys and values that several heads share belong to them all: they are taken only
when every head of the group is. GPT-2's `Conv1D` is transposed. An output projection's bias belongs
to no unit, nor does a norm's gain.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from sanilens.model.language_model import LanguageModel
from sanilens.model.measure import HeadRows, by_neuron, layout_rows
from sanilens.model.norms import Norm, measured
from sanilens.model.units import UnitKind


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows or columns of one parameter: `indices` along dimension `dim`.

    `module` is the path of the module that owns the parameter.
    """

    module: str
    parameter: nn.Parameter
    dim: int
    indices: Int[Tensor, " k"]

    @property
    def name(self) -> str:
        """The parameter's name in its module: a vector is the bias, anything else the weight."""
        return "bias" if self.parameter.dim() == 1 else "weight"


def row_parameters(model: LanguageModel, layer: int, part: str, rows: Sequence[int]) -> list[Slice]:
    """Rows of one linear projection of a layer, and their biases if it has any."""
    path = model.sites.linear(layer, part).path
    module = model.module.get_submodule(path)
    own = torch.tensor(list(rows), dtype=torch.long, device=model.device)
    return _outputs(path, module, own)


def _outputs(path: str, module: nn.Module, own: Int[Tensor, " k"]) -> list[Slice]:
    """Outputs of a projection: rows of its weight and entries of its bias."""
    weight = module.get_parameter("weight")
    slices = [Slice(path, weight, 1 if isinstance(module, Conv1D) else 0, own.to(weight.device))]
    bias = getattr(module, "bias", None)
    if isinstance(bias, nn.Parameter):
        slices.append(Slice(path, bias, 0, own.to(bias.device)))
    return slices


def unit_parameters(
    model: LanguageModel, kind: UnitKind, layer: int, units: Sequence[int]
) -> list[Slice]:
    """Every slice of `units` of one layer: what they read with first, what they write with last.

    Raises:
        PlanError: if the architecture does not tell which rows are whose.
    """
    sites = model.sites
    sites.require("neuron-weights" if kind == "mlp" else "head-weights")
    if kind == "mlp":
        own = torch.zeros(sites.d_mlp, dtype=torch.bool)
        own[list(units)] = True
        site = sites.mlps[layer]
        rows = [layout_rows(layout, own).nonzero()[:, 0] for layout in site.layouts]
    else:
        site = sites.attentions[layer]
        rows = [_rows_of(each, set(units)) for each in site.rows]
    slices: list[Slice] = []
    for path, its in zip(site.reads, rows, strict=True):
        slices += _outputs(path, model.module.get_submodule(path), its)
    return [*slices, write_slice(model, kind, layer, units)]


def write_slice(model: LanguageModel, kind: UnitKind, layer: int, units: Sequence[int]) -> Slice:
    """What `units` of one layer write with: columns of the output projection's weight."""
    path = model.sites.outs(kind)[layer]
    out = model.module.get_submodule(path)
    weight = out.get_parameter("weight")
    columns = model.sites.columns(kind, units)
    own = torch.tensor(columns, dtype=torch.long, device=weight.device)
    return Slice(path, weight, 0 if isinstance(out, Conv1D) else 1, own)


def _rows_of(rows: HeadRows, heads: set[int]) -> Int[Tensor, " k"]:
    own = [row for row, owners in enumerate(rows.heads) if owners and heads.issuperset(owners)]
    return torch.tensor(own, dtype=torch.long)


def query_key_rows(model: LanguageModel, layer: int) -> dict[str, Int[Tensor, " k"]]:
    """Per projection of a layer's attention, the outputs that are queries or keys.

    Raises:
        PlanError: if the architecture does not tell which rows those are.
    """
    model.sites.require("head-weights")
    site = model.sites.attentions[layer]
    found: dict[str, Int[Tensor, " k"]] = {}
    for path, rows in zip(site.reads, site.rows, strict=True):
        own = [row for row, value in enumerate(rows.value) if not value]
        if own:
            found[path] = torch.tensor(own, dtype=torch.long, device=model.device)
    return found


def rows_first(module: nn.Module) -> Float[Tensor, "outputs inputs"]:
    """A projection's weight with a row for each output."""
    weight = module.get_parameter("weight").detach()
    return weight.T if isinstance(module, Conv1D) else weight


def write_weights(
    model: LanguageModel, kind: UnitKind, layer: int
) -> Float[Tensor, "width d_model"]:
    """What the output projection makes of each coordinate of a layer's units, for a value of 1.

    Row j is neuron j's; a head has `d_head` rows, one after the other.
    """
    return rows_first(model.module.get_submodule(model.sites.outs(kind)[layer])).T


def read_weights(model: LanguageModel, layer: int) -> Float[Tensor, "d_mlp own"]:
    """What each neuron of a layer reads with: its rows of all input projections, end to end.

    Raises:
        PlanError: if the architecture does not tell which rows are whose.
    """
    model.sites.require("neuron-weights")
    site = model.sites.mlps[layer]
    read = [
        by_neuron(layout, rows_first(model.module.get_submodule(path)))
        for path, layout in zip(site.reads, site.layouts, strict=True)
    ]
    return torch.cat(read, dim=1)


@dataclass(frozen=True, slots=True)
class Writing:
    """How what the units of a layer give their output projection reaches the residual stream.

        part = c * s_t * g * C (a W),     g * C / s the norm behind the projection, if there is one

    Attributes:
        weights: c * g * C W, a row for each coordinate.
    """

    weights: Float[Tensor, "width d_model"]
    _out: nn.Module
    _norm: nn.Module | None = None
    _map: Norm | None = None

    @property
    def normed(self) -> bool:
        """Whether a norm stands behind the output projection."""
        return self._norm is not None

    def factor(self, values: Float[Tensor, "... width"]) -> Float[Tensor, "... 1"]:
        """s_t: the norm's scale at each token, held; 1 where no norm stands behind.

        `values` is the whole input of the output projection.
        """
        if self._norm is None or self._map is None:
            return torch.ones_like(values[..., :1])
        written = self._out.forward(values)
        return self._map.factor(written, self._norm.forward(written))[..., None]


def writing(model: LanguageModel, kind: UnitKind, layer: int) -> Writing:
    """How the units of a layer write; into the sum itself where a part's share cannot be told."""
    sites, whole = model.sites, model.module
    weights, out = write_weights(model, kind, layer), sites.outs(kind)[layer]
    module = whole.get_submodule(out)
    if "added" in sites.limits:
        return Writing(weights, module)
    added = sites.adds(kind, layer)
    if added.path == out:
        return Writing(weights if added.scale == 1 else added.scale * weights, module)
    norm = whole.get_submodule(added.path)
    how = measured(norm, sites.d_model, weights)
    return Writing(added.scale * how.map(weights), module, norm, how)


def write_norms(
    model: LanguageModel, kind: UnitKind, layer: int, values: Float[Tensor, "... width"]
) -> Float[Tensor, "... unit"]:
    """Length of what each unit adds to the residual stream: |a| ||w||, for a head ||z W_O^h||.

    `values` is the input of the layer's output projection; a norm behind that is held.
    """
    how = writing(model, kind, layer)
    if kind == "mlp":
        return how.factor(values) * values.abs() * how.weights.norm(dim=1)
    size = model.sites.d_head
    heads = values.unflatten(-1, (-1, size))
    weights = how.weights.unflatten(0, (-1, size))
    return how.factor(values) * torch.einsum("...hk,hkd->...hd", heads, weights).norm(dim=-1)


@dataclass(frozen=True, slots=True)
class Writer:
    """A parameter that writes to the residual stream, whole, and the norm that stands behind it."""

    slice: Slice
    norm: Norm | None = None

    def along(self, directions: Float[Tensor, "k d_model"]) -> Float[Tensor, "d_model k"]:
        """An orthonormal basis of what is written along directions of the stream.

        d . g * C y = (C (g * d)) . y, whatever the norm's scale.
        """
        own = directions
        if self.norm is not None:
            own = self.norm.gain.to(own) * own
            own = own - own.mean(-1, keepdim=True) if self.norm.centred else own
        basis, _ = torch.linalg.qr(own.T)
        return basis


def residual_writers(model: LanguageModel, layer: int, part: str) -> list[Writer]:
    """Every parameter that writes to the residual stream up to the end of `layer`.

    `part` is `all`, or one layer's `attention` or `mlp` alone. A slice's `dim` is the dimension
    along what is written.

    Raises:
        PlanError: if something else writes to it too.
    """
    sites, network = model.sites, model.module
    sites.require("baking-stream" if part == "all" else "baking")
    norms = {
        out: added.path
        for attention, mlp, pair in zip(sites.attentions, sites.mlps, sites.added, strict=True)
        for out, added in zip((attention.out, mlp.out), pair, strict=True)
        if out != added.path
    }
    attention, mlp = (s[layer].out for s in (sites.attentions, sites.mlps))
    match part:
        case "attention":
            modules = [attention]
        case "mlp":
            modules = [mlp]
        case _:
            pairs = zip(sites.attentions, sites.mlps, strict=True)
            before = [path for a, m in list(pairs)[: layer + 1] for path in (a.out, m.out)]
            modules = [*sites.embeddings, *before]
    whole = torch.arange(sites.d_model, device=model.device)
    writers: list[Writer] = []
    for path in modules:
        module = network.get_submodule(path)
        weight, bias = module.get_parameter("weight"), getattr(module, "bias", None)
        behind = norms.get(path)
        norm = measured(network.get_submodule(behind), sites.d_model, weight) if behind else None
        rows = isinstance(module, nn.Linear)  # (out, in); the others hold the output last
        writers.append(Writer(Slice(path, weight, 0 if rows else 1, whole), norm))
        if isinstance(bias, nn.Parameter):
            writers.append(Writer(Slice(path, bias, 0, whole), norm))
    return writers
