"""A tiny model of every architecture that is supported: real classes, random weights, no network.

For benches and tests that must hold for all of them. Where one class holds several layouts, each is
here: Falcon's three ways of heads, GPT-BigCode's two, OPT before and after its norms.
"""

from typing import Any

import torch
import transformers
from transformers import PretrainedConfig, PreTrainedModel

_LLAMA = {"num_key_value_heads": 2, "head_dim": 8}
_GPT = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256}
_FALCON = {"num_attention_heads": 4}
_OPT = {"num_attention_heads": 4, "ffn_dim": 48, "max_position_embeddings": 256}

CAUSAL: dict[str, tuple[str, dict[str, Any]]] = {
    "apertus": ("ApertusConfig", _LLAMA),
    "arcee": ("ArceeConfig", _LLAMA),
    "bitnet": ("BitNetConfig", {"num_key_value_heads": 2}),
    "bloom": ("BloomConfig", {"n_head": 4, "n_layer": 2}),
    "codegen": ("CodeGenConfig", _GPT | {"n_inner": 48, "rotary_dim": 4}),
    "cohere": ("CohereConfig", _LLAMA),
    "cohere-qk-norm": ("CohereConfig", _LLAMA | {"use_qk_norm": True}),
    "cohere2": ("Cohere2Config", _LLAMA | {"sliding_window": 64}),
    "ernie4_5": ("Ernie4_5Config", _LLAMA),
    "exaone4": ("Exaone4Config", _LLAMA | {"sliding_window": 64}),
    "falcon": ("FalconConfig", _FALCON | {"num_kv_heads": 2, "new_decoder_architecture": True}),
    "falcon-7b": ("FalconConfig", _FALCON | {"multi_query": True, "parallel_attn": True}),
    "falcon-rw": (
        "FalconConfig",
        _FALCON | {"multi_query": False, "alibi": True, "parallel_attn": False},
    ),
    "falcon_h1": (
        "FalconH1Config",
        _LLAMA
        | {"mamba_d_ssm": 32, "mamba_n_heads": 4, "mamba_d_head": 8}
        | {"mamba_d_state": 8, "mamba_chunk_size": 16},
    ),
    "gemma": ("GemmaConfig", _LLAMA),
    "gemma2": ("Gemma2Config", _LLAMA | {"sliding_window": 64, "query_pre_attn_scalar": 8}),
    "gemma3": ("Gemma3TextConfig", _LLAMA | {"sliding_window": 64, "query_pre_attn_scalar": 8}),
    "glm": ("GlmConfig", _LLAMA),
    "glm4": ("Glm4Config", _LLAMA),
    "gpt1": ("OpenAIGPTConfig", _GPT),
    "gpt2": ("GPT2Config", _GPT | {"n_inner": 48}),
    "gpt_bigcode": ("GPTBigCodeConfig", _GPT | {"n_inner": 48}),
    "gpt_bigcode-heads": ("GPTBigCodeConfig", _GPT | {"n_inner": 48, "multi_query": False}),
    "gpt_neo": (
        "GPTNeoConfig",
        {"num_layers": 2, "num_heads": 4, "attention_types": [[["global", "local"], 1]]},
    ),
    "gpt_neox": ("GPTNeoXConfig", {}),
    "gptj": ("GPTJConfig", _GPT | {"n_inner": 48, "rotary_dim": 4}),
    "granite": (
        "GraniteConfig",
        _LLAMA | {"residual_multiplier": 0.22, "embedding_multiplier": 12.0},
    ),
    "hunyuan": ("HunYuanDenseV1Config", _LLAMA),
    "jais2": ("Jais2Config", _LLAMA),
    "lfm2": (
        "Lfm2Config",
        {"num_key_value_heads": 2, "block_auto_adjust_ff_dim": False}
        | {"layer_types": ["full_attention", "full_attention"]},
    ),
    "llama": ("LlamaConfig", _LLAMA),
    "llama-wide-heads": ("LlamaConfig", _LLAMA | {"head_dim": 16}),
    "ministral3": ("Ministral3Config", _LLAMA),
    "mistral": ("MistralConfig", _LLAMA | {"sliding_window": 64}),
    "modernbert-decoder": ("ModernBertDecoderConfig", {}),
    "mpt": ("MptConfig", {"d_model": 32, "n_heads": 4, "n_layers": 2, "max_seq_len": 256}),
    "nanochat": ("NanoChatConfig", _LLAMA),
    "nemotron": ("NemotronConfig", _LLAMA),
    "olmo": ("OlmoConfig", {"num_key_value_heads": 2, "clip_qkv": 8.0}),
    "olmo2": ("Olmo2Config", {"num_key_value_heads": 2}),
    "olmo3": ("Olmo3Config", {"num_key_value_heads": 2, "sliding_window": 64}),
    "opt": ("OPTConfig", _OPT | {"word_embed_proj_dim": 32}),
    "opt-350m": ("OPTConfig", _OPT | {"word_embed_proj_dim": 16, "do_layer_norm_before": False}),
    "phi": ("PhiConfig", {"num_key_value_heads": 2}),
    "phi3": ("Phi3Config", {"num_key_value_heads": 2}),
    "qwen2": ("Qwen2Config", {"num_key_value_heads": 2}),
    "qwen3": ("Qwen3Config", _LLAMA),
    "seed_oss": ("SeedOssConfig", _LLAMA),
    "smollm3": ("SmolLM3Config", _LLAMA),
    "stablelm": ("StableLmConfig", {"num_key_value_heads": 2}),
    "stablelm-qk-norm": (
        "StableLmConfig",
        {"num_key_value_heads": 2, "qk_layernorm": True, "use_parallel_residual": True},
    ),
    "starcoder2": ("Starcoder2Config", {"num_key_value_heads": 2}),
    "vaultgemma": ("VaultGemmaConfig", _LLAMA | {"query_pre_attn_scalar": 8}),
    "xglm": ("XGLMConfig", {"d_model": 32, "num_layers": 2, "attention_heads": 4, "ffn_dim": 48}),
    "youtu": (
        "YoutuConfig",
        {"kv_lora_rank": 16, "q_lora_rank": 16, "qk_rope_head_dim": 4, "v_head_dim": 8}
        | {"qk_nope_head_dim": 8},
    ),
}
"""Decoders by name: the configuration's class, and what is its own."""

MASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "bert": ("BertConfig", {}),
    "roberta": ("RobertaConfig", {}),
    "xlm-roberta": ("XLMRobertaConfig", {}),
    "distilbert": ("DistilBertConfig", {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48}),
}
"""Masked language models, likewise."""


def tiny_config(name: str, vocabulary: int, *, special: int | None = 0) -> PretrainedConfig:
    """A configuration of two layers, four heads and a width of 32.

    Args:
        name: an architecture of `CAUSAL` or `MASKED`.
        vocabulary: how many tokens there are.
        special: id of the token that begins, ends and pads texts.
    """
    kind, own = (CAUSAL | MASKED)[name]
    shape = {"vocab_size": vocabulary, "hidden_size": 32, "num_hidden_layers": 2}
    shape |= {"num_attention_heads": 4, "intermediate_size": 48, "max_position_embeddings": 256}
    shape |= {f"{role}_token_id": special for role in ("bos", "eos", "pad")}
    config_class = getattr(transformers, kind)
    return config_class(**_renamed(shape, config_class, own) | own)


def _renamed(shape: dict[str, Any], kind: Any, own: dict[str, Any]) -> dict[str, Any]:
    """Without the fields that an architecture calls by a name of its own, given in `own`."""
    names: dict[str, str] = getattr(kind, "attribute_map", {})
    return {name: value for name, value in shape.items() if names.get(name, name) not in own}


def tiny_model(
    name: str, vocabulary: int, seed: int = 0, *, special: int | None = 0
) -> PreTrainedModel:
    """A model of that configuration, with weights that make clear statements."""
    torch.manual_seed(seed)
    config = tiny_config(name, vocabulary, special=special)
    kind = "AutoModelForMaskedLM" if name in MASKED else "AutoModelForCausalLM"
    model = getattr(transformers, kind).from_config(config)
    with torch.no_grad():  # sharper than the usual initialisation, so that argmaxes are clear
        for path, parameter in model.named_parameters():
            if parameter.dim() > 1:
                parameter.mul_(6.0)
            elif path.endswith("bias"):
                parameter.normal_(std=0.3)
            else:  # gains that differ from channel to channel
                parameter.add_(0.2 * torch.randn_like(parameter))
    return model.eval()
