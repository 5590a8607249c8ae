"""Which slices of a model's parameters belong to a unit: what a reset replaces.

    neuron j   row j of W_in (and gate) and of their biases, column j of W_out
    head h     its rows of W_Q, W_K, W_V and of their biases, its columns of W_O
    row i      row i of one projection and of its bias, whatever reads it

GPT-2's `Conv1D` is transposed. An output projection's bias belongs to no unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from sanilens.errors import PlanError
from sanilens.model.subject import SubjectModel
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
        """The parameter's name in its module: its weight is no vector, its bias is one."""
        return "bias" if self.parameter.dim() == 1 else "weight"


def row_parameters(
    subject: SubjectModel, layer: int, part: str, rows: Sequence[int]
) -> list[Slice]:
    """Rows of one linear projection of a layer, and their biases if it has any."""
    path = subject.sites.linear(layer, part).path
    module = subject.model.get_submodule(path)
    own = torch.tensor(list(rows), dtype=torch.long, device=subject.device)
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
    subject: SubjectModel, kind: UnitKind, layer: int, units: Sequence[int]
) -> list[Slice]:
    """Every slice of `units` of one layer: those that read first, that which writes last.

    Raises:
        PlanError: for heads, if the layout of a fused query-key-value projection is not known.
    """
    sites = subject.sites
    site = sites.mlps[layer] if kind == "mlp" else sites.attentions[layer]
    rows = _neuron_rows if kind == "mlp" else _head_rows
    slices: list[Slice] = []
    for path in site.reads:
        module = subject.model.get_submodule(path)
        weight = module.get_parameter("weight")
        dim = 1 if isinstance(module, Conv1D) else 0
        slices += _outputs(path, module, rows(subject, path, weight.shape[dim], units))
    out = subject.model.get_submodule(site.out)
    weight = out.get_parameter("weight")
    columns = torch.tensor(sites.columns(kind, units), dtype=torch.long, device=weight.device)
    slices.append(Slice(site.out, weight, 0 if isinstance(out, Conv1D) else 1, columns))
    return slices


def query_key_rows(subject: SubjectModel, layer: int) -> dict[str, Int[Tensor, " k"]]:
    """Per projection of a layer's attention, the outputs that are queries or keys.

    Raises:
        PlanError: if the layout of a fused query-key-value projection is not known.
    """
    site, sites = subject.sites.attentions[layer], subject.sites
    if len(site.reads) == 3:
        weights = [subject.model.get_submodule(p).get_parameter("weight") for p in site.reads[:2]]
        return {
            path: torch.arange(weight.shape[0], device=weight.device)
            for path, weight in zip(site.reads, weights, strict=False)
        }
    (path,) = site.reads
    width, name = sites.n_heads * sites.d_head, path.rsplit(".", 1)[-1]
    every = torch.arange(3 * width, device=subject.device)
    if name == "c_attn":
        return {path: every[: 2 * width]}
    if name == "query_key_value":
        return {path: every[every // sites.d_head % 3 != 2]}
    raise PlanError(f"{sites.architecture}: which rows of {name} are keys is not known.")


def write_weights(
    subject: SubjectModel, kind: UnitKind, layer: int
) -> Float[Tensor, "width d_model"]:
    """What each coordinate of the units of a layer writes to the residual stream.

    Row j is neuron j's; a head has `d_head` rows, one after the other.
    """
    out = subject.model.get_submodule(subject.sites.outs(kind)[layer])
    weight = out.get_parameter("weight").detach()
    return weight if isinstance(out, Conv1D) else weight.T


def write_norms(
    subject: SubjectModel, kind: UnitKind, layer: int, values: Float[Tensor, "... width"]
) -> Float[Tensor, "... unit"]:
    """Length of what each unit adds to the residual stream: |a| ||w||, for a head ||z W_O||.

    `values` is the input of the layer's output projection.
    """
    weights = write_weights(subject, kind, layer)
    if kind == "mlp":
        return values.abs() * weights.norm(dim=1)
    size = subject.sites.d_head
    heads = values.unflatten(-1, (-1, size))
    return torch.einsum("...hk,hkd->...hd", heads, weights.unflatten(0, (-1, size))).norm(dim=-1)


def _neuron_rows(
    subject: SubjectModel, path: str, total: int, units: Sequence[int]
) -> Int[Tensor, " k"]:
    own = torch.as_tensor(list(units), dtype=torch.long)
    # A fused gate-and-in holds neuron j at rows j and j + d_mlp.
    d_mlp = subject.sites.d_mlp
    return own if total == d_mlp else torch.cat([own, own + d_mlp])


def _head_rows(
    subject: SubjectModel, path: str, total: int, units: Sequence[int]
) -> Int[Tensor, " k"]:
    """Rows of the heads in a query, key, value or fused projection.

    Keys and values that several heads share belong to them all: they are taken only when every
    head of the group is.
    """
    sites = subject.sites
    width = sites.n_heads * sites.d_head
    own = torch.tensor(sites.columns("head", units), dtype=torch.long)
    if total == width:
        return own
    name = path.rsplit(".", 1)[-1]
    if total == 3 * width and name == "c_attn":  # GPT-2: all queries, all keys, all values
        return torch.cat([own, own + width, own + 2 * width])
    if total == 3 * width and name == "query_key_value":  # NeoX: head after head, q k v in each
        return _interleaved(own, sites.d_head)
    if total % sites.d_head == 0 and width % total == 0 and len(name) <= 6:  # grouped k or v
        group = width // total
        whole = [
            g
            for g in range(sites.n_heads // group)
            if all(h in units for h in range(g * group, (g + 1) * group))
        ]
        return torch.tensor(sites.columns("head", whole), dtype=torch.long)
    raise PlanError(
        f"heads of {subject.sites.architecture} cannot be reset: the layout of its fused "
        "query-key-value projection is not known. Zero them instead."
    )


def _interleaved(own: Int[Tensor, " k"], d_head: int) -> Int[Tensor, " k3"]:
    first = own // d_head * 3 * d_head + own % d_head
    return torch.cat([first, first + d_head, first + 2 * d_head])


def residual_writers(subject: SubjectModel, layer: int, part: str) -> list[Slice]:
    """Every parameter that writes to the residual stream up to the end of `layer`.

    `part` is `all`, or one layer's `attention` or `mlp` alone. The slices are whole; `dim` is the
    dimension along the residual stream.
    """
    sites, model = subject.sites, subject.model
    attention, mlp = (s[layer].out for s in (sites.attentions, sites.mlps))
    match part:
        case "attention":
            modules = [attention]
        case "mlp":
            modules = [mlp]
        case _:
            pairs = zip(sites.attentions, sites.mlps, strict=True)
            before = [path for a, m in list(pairs)[: layer + 1] for path in (a.out, m.out)]
            embeddings = [
                path
                for path, module in model.named_modules()
                if isinstance(module, nn.Embedding) and module.embedding_dim == sites.d_model
            ]
            modules = [*embeddings, *before]
    whole = torch.arange(sites.d_model, device=subject.device)
    slices = []
    for path in modules:
        module = model.get_submodule(path)
        rows = isinstance(module, nn.Linear)  # (out, in); the others hold the output last
        slices.append(Slice(path, module.get_parameter("weight"), 0 if rows else 1, whole))
        bias = getattr(module, "bias", None)
        if isinstance(bias, nn.Parameter):
            slices.append(Slice(path, bias, 0, whole))
    return slices
