"""Where in a model to look: TransformerLens's names, resolved to the user's own modules.

TransformerLens's architecture adapters know which module a name means. They are asked through
the model's configuration alone; booting a bridge would rewire the user's model in place.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel
from transformers.pytorch_utils import Conv1D

from sanilens.errors import ModelError


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
class Sites:
    """Module paths of a decoder: `blocks.<i>`, their MLPs, and the unembedding."""

    architecture: str
    blocks: tuple[str, ...]
    mlps: tuple[MlpSite, ...]
    unembed: str
    d_mlp: int

    @property
    def n_layers(self) -> int:
        """Number of transformer blocks."""
        return len(self.blocks)

    def hook_post(self, layer: int) -> str:
        """The TransformerLens name of a layer's neurons."""
        return f"blocks.{layer}.mlp.hook_post"


def find_sites(model: PreTrainedModel) -> Sites:
    """Resolve every site of `model` and confirm that the modules exist.

    Raises:
        ModelError: if TransformerLens does not know the architecture, or the MLP has no single
            output projection (mixture of experts).
    """
    path = _translator(model.config)
    n_layers = model.config.get_text_config().num_hidden_layers
    name = type(model).__name__
    try:
        blocks = tuple(path(f"blocks.{i}") for i in range(n_layers))
        mlps = tuple(_mlp_site(model, path, i) for i in range(n_layers))
        unembed = path("unembed")
    except ValueError as error:
        raise ModelError(
            f"{name}: no dense MLP was found in every layer ({error}). Mixture-of-experts models "
            "are not supported; use a dense decoder."
        ) from error
    for found in (*blocks, unembed, *(m.out for m in mlps)):
        _module(model, found, name)
    widths = {projection_inputs(model.get_submodule(m.out)) for m in mlps}
    if len(widths) != 1:
        raise ModelError(f"{name}: layers differ in their number of neurons, which is unsupported.")
    return Sites(name, blocks, mlps, unembed, widths.pop())


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


def _module(model: PreTrainedModel, path: str, name: str) -> nn.Module:
    try:
        return model.get_submodule(path)
    except AttributeError as error:
        raise ModelError(
            f"{name}: TransformerLens names a module {path!r} that is absent."
        ) from error


def neuron_parameters(
    model: nn.Module, site: MlpSite, neurons: Sequence[int]
) -> list[tuple[nn.Parameter, int, Tensor]]:
    """Every parameter slice that belongs to `neurons`: (parameter, dimension, indices).

    For `nn.Linear`, rows of the reading projections (and their biases) and columns of the output
    projection; GPT-2's `Conv1D` is transposed; a fused gate-and-in holds neuron j at rows j and
    j + d_mlp. The output projection's bias belongs to no neuron.
    """
    out = model.get_submodule(site.out)
    d_mlp = projection_inputs(out)
    own = torch.as_tensor(list(neurons), dtype=torch.long)
    slices: list[tuple[nn.Parameter, int, Tensor]] = []
    for path in site.reads:
        module = model.get_submodule(path)
        weight = module.get_parameter("weight")
        dim = 1 if isinstance(module, Conv1D) else 0
        rows = own if weight.shape[dim] == d_mlp else torch.cat([own, own + d_mlp])
        slices.append((weight, dim, rows.to(weight.device)))
        bias = getattr(module, "bias", None)
        if isinstance(bias, nn.Parameter):
            slices.append((bias, 0, rows.to(bias.device)))
    weight = out.get_parameter("weight")
    slices.append((weight, 0 if isinstance(out, Conv1D) else 1, own.to(weight.device)))
    return slices
