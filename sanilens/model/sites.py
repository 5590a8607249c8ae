"""Where in a model to look: TransformerLens's names, resolved to the user's own modules.

Names say where a module lies (model/families.py); which rows are whose and what is added to the
residual stream is measured (model/measure.py). What a model does not allow is found when it is
loaded, and refused here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

from transformers import PretrainedConfig, PreTrainedModel

from sanilens.errors import ModelError, PlanError
from sanilens.model import measure
from sanilens.model.families import Path, activation, fused_reads, is_masked, module_paths
from sanilens.model.measure import Added
from sanilens.model.norms import measured
from sanilens.model.parts import (
    AttentionSite,
    LinearSite,
    MlpSite,
    projection_inputs,
    projection_outputs,
)
from sanilens.model.units import LayerUnit, UnitKind, kind_of

__all__ = ["CAPABILITIES", "Capability", "Sites", "find_sites", "is_masked"]

T = TypeVar("T")
Capability = Literal[
    "neuron-weights", "head-weights", "added", "baking", "baking-stream", "direct", "lens", "relp"
]
"""What an architecture may not allow; all else works wherever a model loads."""

CAPABILITIES: Mapping[Capability, str] = {
    "neuron-weights": "resetting neurons",
    "head-weights": "resetting attention heads",
    "added": "autoencoders and codebooks of what attention or MLP add",
    "baking": "baking features of what attention or MLP add into the weights",
    "baking-stream": "baking features of the residual stream into the weights",
    "direct": "the tokens that a unit promotes",
    "lens": "the logit lens",
    "relp": "the localiser relp",
}
"""What each is called in a sentence."""


@dataclass(frozen=True, slots=True)
class Sites:
    """Module paths of a model: `blocks.<i>`, their parts, the final norm and the unembedding.

    Attributes:
        architecture: the model's class.
        final_norm: None where no norm stands behind the last layer.
        linears: each layer's projections.
        added: of each layer what attention and MLP add to the residual stream.
        embeddings: the modules whose sum enters the first layer.
        limits: what this model does not allow, and why.
    """

    architecture: str
    blocks: tuple[str, ...]
    mlps: tuple[MlpSite, ...]
    attentions: tuple[AttentionSite, ...]
    final_norm: str | None
    unembed: str
    d_model: int
    d_mlp: int
    n_heads: int
    d_head: int
    linears: tuple[tuple[LinearSite, ...], ...]
    added: tuple[tuple[Added, Added], ...] = field(default=(), compare=False)
    embeddings: tuple[str, ...] = field(default=(), compare=False)
    limits: Mapping[Capability, str] = field(default_factory=dict, compare=False)

    @property
    def n_layers(self) -> int:
        """Number of transformer blocks."""
        return len(self.blocks)

    def count(self, kind: UnitKind) -> int:
        """Units of that kind in each layer."""
        return self.d_mlp if kind == "mlp" else self.n_heads

    def size(self, kind: UnitKind) -> int:
        """How many coordinates of its projection's input a unit of that kind is."""
        return 1 if kind == "mlp" else self.d_head

    def outs(self, kind: UnitKind) -> tuple[str, ...]:
        """Of each layer the projection that the units' values enter."""
        sites = self.mlps if kind == "mlp" else self.attentions
        return tuple(site.out for site in sites)

    def adds(self, kind: UnitKind, layer: int) -> Added:
        """What attention (of heads) or MLP add to the residual stream after a layer.

        Raises:
            PlanError: if this model adds nothing that could be read as it is.
        """
        self.require("added")
        attention, mlp = self.added[layer]
        return mlp if kind == "mlp" else attention

    def require(self, what: Capability) -> None:
        """Refuse what this model does not allow.

        Raises:
            PlanError: saying why.
        """
        if reason := self.limits.get(what):
            raise PlanError(f"{self.architecture} does not allow {CAPABILITIES[what]}: {reason}.")

    @property
    def refusals(self) -> tuple[str, ...]:
        """What this model does not allow, a sentence for each reason."""
        reasons = dict.fromkeys(self.limits.values())
        return tuple(
            f"{', '.join(CAPABILITIES[c] for c, why in self.limits.items() if why == reason)}: "
            f"{reason}"
            for reason in reasons
        )

    def linear(self, layer: int, part: str) -> LinearSite:
        """A layer's projection of that name.

        Raises:
            PlanError: if there is none.
        """
        own = self.linears[layer] if layer < self.n_layers else ()
        for site in own:
            if site.part == part:
                return site
        raise PlanError(
            f"there is no projection {part} in layer {layer}: layers 0 to {self.n_layers - 1} "
            f"have {', '.join(site.part for site in self.linears[0])}."
        )

    def has(self, unit: LayerUnit) -> bool:
        """Whether the model has this unit."""
        return unit.layer < self.n_layers and unit.index < self.count(kind_of(unit))

    def columns(self, kind: UnitKind, indices: Iterable[int]) -> list[int]:
        """Coordinates of the projection's input that these units of one layer are."""
        size = self.size(kind)
        return [i * size + k for i in indices for k in range(size)]

    def check(self, units: Iterable[LayerUnit], name: str) -> None:
        """Refuse units that the model does not have.

        Raises:
            PlanError: naming the first such unit and what the model has.
        """
        for unit in units:
            if not self.has(unit):
                kind = kind_of(unit)
                noun = "neurons" if kind == "mlp" else "attention heads"
                raise PlanError(
                    f"unit {unit} does not exist: {name} has layers 0 to {self.n_layers - 1} of "
                    f"{self.count(kind)} {noun} each, counted from 0."
                )


def find_sites(model: PreTrainedModel) -> Sites:
    """Resolve every site of `model`, confirm that the modules exist, and measure what is whose.

    Raises:
        ModelError: if the architecture is not known, or not a dense one with attention and one MLP
            in every layer, or if the model cannot be run.
    """
    name, path = type(model).__name__, module_paths(model)
    config = model.config.get_text_config()
    layers = range(_positive(config, "num_hidden_layers", name))
    blocks = tuple(_needed(path(f"blocks.{i}"), name, i, "block") for i in layers)
    mlps = tuple(_mlp_site(model, path, i) for i in layers)
    attentions = tuple(_attention_site(model, path, i) for i in layers)
    unembed = path("unembed")
    if unembed is None:
        raise ModelError(f"{name}: no unembedding was found. Use a model with its language head.")
    outs = [m.out for m in mlps], [a.out for a in attentions]
    d_mlp, heads_width = (_common_width(model, paths, name) for paths in outs)
    n_heads = _positive(config, "num_attention_heads", name)
    if heads_width % n_heads:
        raise ModelError(
            f"{name}: {n_heads} attention heads do not divide its projections of {heads_width}. "
            "Use the config.json that was saved with these weights."
        )
    sites = Sites(
        name, blocks, mlps, attentions, path("ln_final"), unembed,
        d_model=config.hidden_size, d_mlp=d_mlp, n_heads=n_heads, d_head=heads_width // n_heads,
        linears=tuple(_linears(model, a, m) for a, m in zip(attentions, mlps, strict=True)),
    )  # fmt: skip
    try:
        return _measured(model, sites)
    except (RuntimeError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{name}: a first pass over a few tokens fails ({type(error).__name__}). "
            "Use the config.json that was saved with these weights."
        ) from error


def _measured(model: PreTrainedModel, sites: Sites) -> Sites:
    limits: dict[Capability, str] = {}

    def told(what: Capability, found: tuple[T, ...] | str) -> tuple[T, ...]:
        if not isinstance(found, str):
            return found
        limits[what] = found
        return ()

    pairs = [(a.out, m.out) for a, m in zip(sites.attentions, sites.mlps, strict=True)]
    parts, embeddings = measure.added(model, sites.blocks, pairs)
    parts, embeddings = told("added", parts), told("baking-stream", embeddings)
    if not parts:
        limits["baking"] = limits["added"]
    elif _adds_constants(model, sites, parts):
        reason = "the norm behind what its layers write adds a constant of its own"
        limits["baking"] = limits["baking-stream"] = reason
    mlps = [(site.reads, site.out) for site in sites.mlps]
    layouts = measure.neuron_layouts(model, mlps, sites.blocks, sites.d_mlp)
    layouts = told("neuron-weights", layouts) or ((),) * sites.n_layers
    heads = [(site.reads, site.out) for site in sites.attentions]
    rows = measure.head_rows(model, heads, sites.blocks, sites.n_heads)
    rows = told("head-weights", rows) or ((),) * sites.n_layers
    width = model.get_submodule(sites.unembed).get_parameter("weight").shape[-1]
    if not parts or width != sites.d_model:
        limits["direct"] = "what its layers write is changed on its way to the unembedding"
    if is_masked(sites.architecture):
        limits["lens"] = "it fills gaps, and the lens reads what comes next"
    elif sites.final_norm is None:
        limits["lens"] = "no norm stands between its last layer and the unembedding"
    if "head-weights" in limits:
        limits["relp"] = limits["head-weights"]
    elif any(site.activation is None for site in sites.mlps):
        limits["relp"] = "the nonlinearity of its MLPs is no module of its own"
    return replace(
        sites, added=parts, embeddings=embeddings, limits=limits,
        mlps=tuple(replace(m, layouts=own) for m, own in zip(sites.mlps, layouts, strict=True)),
        attentions=tuple(
            replace(a, rows=own) for a, own in zip(sites.attentions, rows, strict=True)
        ),
    )  # fmt: skip


def _adds_constants(
    model: PreTrainedModel, sites: Sites, parts: Iterable[tuple[Added, Added]]
) -> bool:
    """Whether a norm that stands behind an output projection has a bias."""
    projections = {*sites.outs("head"), *sites.outs("mlp")}
    norms = [part.path for pair in parts for part in pair if part.path not in projections]
    like = model.get_submodule(sites.outs("mlp")[0]).get_parameter("weight")
    found = (measured(model.get_submodule(path), sites.d_model, like) for path in norms)
    return any(bool(norm.bias.any()) for norm in found)


def _linears(
    model: PreTrainedModel, attention: AttentionSite, mlp: MlpSite
) -> tuple[LinearSite, ...]:
    names = ("q", "k", "v") if len(attention.reads) == 3 else ("qkv",)
    parts = dict(zip(names, attention.reads, strict=False)) | {"o": attention.out}
    parts |= dict(zip(("gate", "in")[-len(mlp.reads) :], mlp.reads, strict=True))
    parts["out"] = mlp.out
    return tuple(
        LinearSite(part, path, projection_outputs(model.get_submodule(path)))
        for part, path in parts.items()
    )


def _common_width(model: PreTrainedModel, paths: Iterable[str], name: str) -> int:
    widths = {projection_inputs(model.get_submodule(path)) for path in paths}
    if len(widths) != 1:
        raise ModelError(f"{name}: layers differ in their number of units, which is unsupported.")
    return widths.pop()


def _positive(config: PretrainedConfig, field: str, name: str) -> int:
    value = getattr(config, field, None)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ModelError(
            f"{name}: {field} in config.json is no positive number. "
            "Use the config.json that was saved with these weights."
        )
    return value


def _needed(path: str | None, name: str, layer: int, what: str) -> str:
    if path is None:
        raise ModelError(
            f"{name}: no {what} was found in layer {layer}. Mixture-of-experts models, and models "
            "some of whose layers have no attention, are not supported; use a dense decoder."
        )
    return path


def _mlp_site(model: PreTrainedModel, path: Path, layer: int) -> MlpSite:
    name = type(model).__name__
    out = _needed(path(f"blocks.{layer}.mlp.out"), name, layer, "dense MLP")
    parts = (path(f"blocks.{layer}.mlp.{part}") for part in ("gate", "in"))
    reads = tuple(p for p in parts if p) or fused_reads(model, out)
    if not reads:
        _needed(None, name, layer, "dense MLP")
    return MlpSite(reads, out, activation(model, out))


def _attention_site(model: PreTrainedModel, path: Path, layer: int) -> AttentionSite:
    # Fused or apart: the adapter names both ways.
    parts = (path(f"blocks.{layer}.attn.{part}") for part in ("q", "k", "v", "qkv"))
    reads = tuple(p for p in parts if p)
    out = path(f"blocks.{layer}.attn.o")
    return AttentionSite(reads, _needed(out, type(model).__name__, layer, "attention"))
