"""Where in a model to look: TransformerLens's names, resolved to the user's own modules.

TransformerLens's architecture adapters know which module a name means. They are asked through
the model's configuration alone; booting a bridge would rewire the user's model in place. Masked
language models have a table of their own, in the same names (model/masked_paths.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from torch import nn
from transformers import PretrainedConfig, PreTrainedModel
from transformers.pytorch_utils import Conv1D

from sanilens.errors import ModelError, PlanError
from sanilens.model.masked_paths import masked_paths
from sanilens.model.units import LayerUnit, UnitKind, kind_of


@dataclass(frozen=True, slots=True)
class MlpSite:
    """The projections of one layer's MLP, as module paths in the user's model.

    Attributes:
        reads: modules whose output feeds the neurons: `(in,)`, `(gate, in)` or the fused one.
        out: the output projection; its input's coordinates are the neurons.
    """

    reads: tuple[str, ...]
    out: str


@dataclass(frozen=True, slots=True)
class AttentionSite:
    """The projections of one layer's attention, as module paths in the user's model.

    Attributes:
        reads: the modules that make queries, keys and values: three, or the fused one.
        out: the output projection; its input is every head's result, one head after the other.
    """

    reads: tuple[str, ...]
    out: str


@dataclass(frozen=True, slots=True)
class LinearSite:
    """A linear projection: TransformerLens's name of it in its layer, its path, its outputs."""

    part: str
    path: str
    rows: int


@dataclass(frozen=True, slots=True)
class Sites:
    """Module paths of a model: `blocks.<i>`, their parts, the final norm and the unembedding.

    `architecture` is the model's class; `linears` are each layer's projections.
    """

    architecture: str
    blocks: tuple[str, ...]
    mlps: tuple[MlpSite, ...]
    attentions: tuple[AttentionSite, ...]
    final_norm: str
    unembed: str
    d_model: int
    d_mlp: int
    n_heads: int
    d_head: int
    linears: tuple[tuple[LinearSite, ...], ...]

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
    """Resolve every site of `model` and confirm that the modules exist.

    Raises:
        ModelError: if the architecture is not known, or the MLP has no single output projection
            (mixture of experts).
    """
    name = type(model).__name__
    path = masked_paths(name) if is_masked(name) else _translator(model.config)
    n_layers = model.config.get_text_config().num_hidden_layers
    try:
        blocks = tuple(path(f"blocks.{i}") for i in range(n_layers))
        mlps = tuple(_mlp_site(model, path, i) for i in range(n_layers))
        attentions = tuple(_attention_site(model, path, i) for i in range(n_layers))
        final_norm, unembed = path("ln_final"), path("unembed")
    except ValueError as error:
        raise ModelError(
            f"{name}: no dense MLP was found in every layer ({error}). Mixture-of-experts models "
            "are not supported; use a dense decoder."
        ) from error
    outs = [m.out for m in mlps], [a.out for a in attentions]
    for found in (*blocks, final_norm, unembed, *outs[0], *outs[1]):
        _module(model, found, name)
    d_mlp, heads_width = (_common_width(model, paths, name) for paths in outs)
    config = model.config.get_text_config()
    n_heads = config.num_attention_heads
    return Sites(
        name, blocks, mlps, attentions, final_norm, unembed,
        d_model=config.hidden_size, d_mlp=d_mlp, n_heads=n_heads, d_head=heads_width // n_heads,
        linears=tuple(
            _linears(model, a, m) for a, m in zip(attentions, mlps, strict=True)
        ),
    )  # fmt: skip


def _linears(
    model: PreTrainedModel, attention: AttentionSite, mlp: MlpSite
) -> tuple[LinearSite, ...]:
    names = ("q", "k", "v") if len(attention.reads) == 3 else ("qkv",)
    parts = dict(zip(names, attention.reads, strict=False)) | {"o": attention.out}
    parts |= dict(zip(("gate", "in")[-len(mlp.reads) :], mlp.reads, strict=True))
    parts["out"] = mlp.out
    found = []
    for part, path in parts.items():
        weight = model.get_submodule(path).get_parameter("weight")
        transposed = isinstance(model.get_submodule(path), Conv1D)
        found.append(LinearSite(part, path, weight.shape[1 if transposed else 0]))
    return tuple(found)


def is_masked(architecture: str) -> bool:
    """Whether a class of model fills gaps (BERT) instead of continuing text."""
    return architecture.endswith("ForMaskedLM")


def _common_width(model: PreTrainedModel, paths: Iterable[str], name: str) -> int:
    widths = {projection_inputs(model.get_submodule(path)) for path in paths}
    if len(widths) != 1:
        raise ModelError(f"{name}: layers differ in their number of units, which is unsupported.")
    return widths.pop()


def projection_inputs(module: nn.Module) -> int:
    """Input features of a linear projection, GPT-2's transposed `Conv1D` included."""
    weight = module.get_parameter("weight")
    return weight.shape[0] if isinstance(module, Conv1D) else weight.shape[1]


def _translator(config: PretrainedConfig):
    # Imported here: TransformerLens takes seconds to import and only loading a model needs it.
    from transformer_lens.config import TransformerBridgeConfig
    from transformer_lens.factories.architecture_adapter_factory import ArchitectureAdapterFactory
    from transformer_lens.model_bridge.sources.transformers import (
        determine_architecture_from_hf_config,
        map_default_transformer_lens_config,
    )

    try:
        fields = dict(map_default_transformer_lens_config(config).__dict__)
        bridge_config = TransformerBridgeConfig.from_dict(fields)
        bridge_config.architecture = determine_architecture_from_hf_config(config)
        adapter = ArchitectureAdapterFactory.select_architecture_adapter(bridge_config)
    except (ValueError, KeyError, AttributeError) as error:
        raise ModelError(
            f"architecture {config.architectures} is not known to TransformerLens's adapters. "
            "Use a decoder of one of the families it lists (GPT-2, Llama, GPT-NeoX, Qwen, Gemma …)."
        ) from error
    return adapter.translate_transformer_lens_path


def _mlp_site(model: PreTrainedModel, path, layer: int) -> MlpSite:
    out = path(f"blocks.{layer}.mlp.out")
    reads = []
    for part in ("gate", "in"):
        try:
            candidate = path(f"blocks.{layer}.mlp.{part}")
            model.get_submodule(candidate)
        except (ValueError, AttributeError):
            continue
        reads.append(candidate)
    if not reads:  # Phi-3 and its kin fuse gate and in; the adapter names parts that don't exist.
        fused = out.rsplit(".", 1)[0] + ".gate_up_proj"
        _module(model, fused, type(model).__name__)
        reads.append(fused)
    return MlpSite(tuple(reads), out)


def _attention_site(model: PreTrainedModel, path, layer: int) -> AttentionSite:
    reads = []
    for part in ("q", "k", "v", "qkv"):
        try:
            candidate = path(f"blocks.{layer}.attn.{part}")
            model.get_submodule(candidate)
        except (ValueError, AttributeError):  # fused or apart: the adapter names both ways
            continue
        reads.append(candidate)
    return AttentionSite(tuple(reads), path(f"blocks.{layer}.attn.o"))


def _module(model: PreTrainedModel, path: str, name: str) -> nn.Module:
    try:
        return model.get_submodule(path)
    except AttributeError as error:
        raise ModelError(
            f"{name}: TransformerLens names a module {path!r} that is absent."
        ) from error
