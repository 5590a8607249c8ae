"""What can only be known of an architecture by name: where its modules are, how long its context.

TransformerLens's architecture adapters know which module a name means. They are asked through the
model's configuration alone; booting a bridge would rewire the user's model in place. Masked
language models have a table of their own here, in the same names. All else, such as which row is
whose and what is added to the residual stream, is measured (model/measure.py).
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn
from transformers import PretrainedConfig, PreTrainedModel

from sanilens.errors import ModelError

Path = Callable[[str], str | None]
"""From TransformerLens's name of a part to the path of the user's module; None if it is absent."""

# Phi-3 and its kin fuse gate and in; the adapter names parts that don't exist.
_FUSED = "gate_up_proj"
# Configurations name the longest sequence in several ways.
_CONTEXT = ("max_position_embeddings", "max_seq_len", "seq_length")
# The nonlinearity of an MLP, which lies beside its output projection.
_ACTIVATIONS = ("act", "act_fn", "activation_fn", "activation", "activation_func", "gelu_impl")


def is_masked(architecture: str) -> bool:
    """Whether a class of model fills gaps (BERT) instead of continuing text."""
    return architecture.endswith("ForMaskedLM")


def context_length(config: PretrainedConfig) -> int:
    """Longest sequence that a model was made for, in tokens."""
    config = config.get_text_config()
    named = (getattr(config, name, None) for name in _CONTEXT)
    positions = next((n for n in named if isinstance(n, int) and n > 0), 2048)
    # RoBERTa's positions begin after that of its padding token.
    return positions - config.pad_token_id - 1 if "roberta" in config.model_type else positions


def module_paths(model: PreTrainedModel) -> Path:
    """Where `model`'s parts lie.

    Raises:
        ModelError: if the architecture is not known.
    """
    name = type(model).__name__
    translate = masked_paths(name) if is_masked(name) else _adapter(model.config)

    def path(part: str) -> str | None:
        try:
            found = translate(part)
        except ValueError:
            return None
        return found if has_module(model, found) else None

    return path


def fused_reads(model: PreTrainedModel, out: str) -> tuple[str, ...]:
    """The projection that feeds an MLP's neurons where it is one for gate and in."""
    path = f"{out.rpartition('.')[0]}.{_FUSED}"
    return (path,) if has_module(model, path) else ()


def activation(model: PreTrainedModel, out: str) -> str | None:
    """Path of the nonlinearity beside an MLP's output projection; None if it is not a module."""
    parent = out.rpartition(".")[0]
    names = dict(model.get_submodule(parent).named_children())
    found = next((name for name in _ACTIVATIONS if name in names), None)
    return f"{parent}.{found}" if found else None


def has_module(model: nn.Module, path: str) -> bool:
    """Whether the model has a module there."""
    try:
        model.get_submodule(path)
    except AttributeError:
        return False
    return True


def _adapter(config: PretrainedConfig) -> Callable[[str], str]:
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


@dataclass(frozen=True, slots=True)
class _Family:
    """Paths of one family: its blocks, what lies in a block, and the head."""

    blocks: str
    parts: dict[str, str]
    head: dict[str, str]


_BERT_PARTS = {
    "attn.q": "attention.self.query",
    "attn.k": "attention.self.key",
    "attn.v": "attention.self.value",
    "attn.o": "attention.output.dense",
    "mlp.in": "intermediate.dense",
    "mlp.out": "output.dense",
}
_ROBERTA = _Family(
    "roberta.encoder.layer",
    _BERT_PARTS,
    {"ln_final": "lm_head.layer_norm", "unembed": "lm_head.decoder"},
)
_FAMILIES = {
    "BertForMaskedLM": _Family(
        "bert.encoder.layer",
        _BERT_PARTS,
        {
            "ln_final": "cls.predictions.transform.LayerNorm",
            "unembed": "cls.predictions.decoder",
        },
    ),
    "RobertaForMaskedLM": _ROBERTA,
    "XLMRobertaForMaskedLM": _ROBERTA,
    "DistilBertForMaskedLM": _Family(
        "distilbert.transformer.layer",
        {
            "attn.q": "attention.q_lin",
            "attn.k": "attention.k_lin",
            "attn.v": "attention.v_lin",
            "attn.o": "attention.out_lin",
            "mlp.in": "ffn.lin1",
            "mlp.out": "ffn.lin2",
        },
        {"ln_final": "vocab_layer_norm", "unembed": "vocab_projector"},
    ),
}


def masked_paths(architecture: str) -> Callable[[str], str]:
    """From a TransformerLens name to a module path, for one class of model.

    The function raises ValueError for a part that the family does not have, as TransformerLens's
    own translation does.

    Raises:
        ModelError: if the class is not of a known family.
    """
    if architecture not in _FAMILIES:
        raise ModelError(
            f"{architecture} is no masked language model that is supported. Use BERT, RoBERTa, "
            "XLM-RoBERTa or DistilBERT with its masked-LM head, or a decoder."
        )
    family = _FAMILIES[architecture]

    def path(name: str) -> str:
        if name in family.head:
            return family.head[name]
        layer, _, part = name.removeprefix("blocks.").partition(".")
        if not part:
            return f"{family.blocks}.{layer}"
        if part not in family.parts:
            raise ValueError(f"no {part} in {architecture}")
        return f"{family.blocks}.{layer}.{family.parts[part]}"

    return path
