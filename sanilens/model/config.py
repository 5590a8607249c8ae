"""A model's config.json: what it may say, before a library believes it.

The numbers decide how much memory and time a model takes, and some keys send the library to other
files, to the hub or to code. Whether they fit the weights shows on loading.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from transformers import CONFIG_MAPPING, PretrainedConfig

from sanilens.errors import ModelError
from sanilens.model.files import read_object
from sanilens.model.weights import Stored

CONFIG, GENERATION = "config.json", "generation_config.json"
MAX_LAYERS = 1024
# More than any dimension, context or vocabulary in use, and little enough to count to.
MAX_COUNT = 2**24
MAX_LABELS = 2**16
_DEPTH = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
_HEADS = (
    "num_attention_heads", "n_head", "n_heads", "num_heads", "attention_heads",
    "decoder_attention_heads",
)  # fmt: skip
_CONTEXT = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len")
_COUNTS = {
    *_DEPTH, *_HEADS, *_CONTEXT, "num_key_value_heads", "hidden_size", "n_embd", "d_model", "dim",
    "vocab_size", "head_dim", "intermediate_size", "ffn_dim", "hidden_dim", "word_embed_proj_dim",
}  # fmt: skip
_SIZE = re.compile(
    r"num_|(^|_)n_|max_|size|dim|layer|head|length|window|position|label|expert|embd|inner|ctx|rank"
)
_DROPOUT, _EPSILON = re.compile(r"dropout|pdrop"), re.compile(r"(^|_)eps(ilon)?$")
_QUANTISED = ("quantization_config", "compression_config", "quantization")
_ATTENTION = re.compile(r"_?(attn|experts)_implementation(_internal)?")
# They name another file, a class or kernels, in place of what is checked here.
_ELSEWHERE = ("configuration_files", "transformers_weights", "fusion_config", "attribute_map")
# Heads that say the next word, or fill gaps. An encoder's pre-training head holds that of gaps.
_LANGUAGE = (
    "ForCausalLM", "LMHeadModel", "ModelWithLMHead", "ForConditionalGeneration",
    "ForMaskedLM", "ForPreTraining",
)  # fmt: skip


def read_config(folder: Path) -> dict[str, Any]:
    """The fields of config.json.

    Raises:
        ModelError: if it is missing or no JSON object.
    """
    if not (folder / CONFIG).exists():
        raise ModelError(f"{folder.name}: {CONFIG} is missing. Give a Hugging Face model folder.")
    return read_object(folder, CONFIG)


def check_config(name: str, fields: Mapping[str, Any], tensors: Mapping[str, Stored]) -> None:
    """Refuse a configuration that leads elsewhere, holds nonsense, or would take all memory.

    Args:
        name: the folder's, for messages.
        fields: of config.json.
        tensors: what the weights' files hold.

    Raises:
        ModelError: naming the key, and how to mend it.
    """
    _check_class(name, fields)
    for key, value in _walk(fields):
        _check_redirection(name, key, value)
        _check_number(name, key, value)
    # A default instead of it would fit the weights too, and read them otherwise.
    if not any(key in _HEADS for key, _ in _walk(fields)):
        raise ModelError(f"{name}: {CONFIG} names no number of heads ({_HEADS[0]}). {_OWN}")
    for key in _DEPTH:
        # Each layer has a tensor at the least.
        if isinstance(layers := fields.get(key), int) and layers > len(tensors):
            raise ModelError(
                f"{name}: {CONFIG} says {layers} layers ({key}), but the weights are only "
                f"{len(tensors)} tensors. {_OWN}"
            )


_OWN = f"Use the {CONFIG} that was saved with these weights."


def check_class_name(name: str, fields: Mapping[str, Any], made: str) -> None:
    """Refuse a configuration whose `architectures` name another family than its model_type makes.

    Families share names of weights: a Gemma loads as a Llama, and then says something else.

    Args:
        name: the folder's, for messages.
        fields: of config.json.
        made: the class that transformers makes of it.

    Raises:
        ModelError: naming both.
    """
    named = fields.get("architectures") or []
    if named and _family(made) not in map(_family, named):
        raise ModelError(
            f"{name}: {CONFIG} names {_shown(named[0])}, but its model_type "
            f"{_shown(fields['model_type'])} makes {made}. {_OWN}"
        )


def _family(architecture: str) -> str:
    for head in _LANGUAGE:
        architecture = architecture.removesuffix(head)
    return architecture.casefold()


def _walk(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every key and value, nested ones included."""
    waiting = list(fields.items())
    while waiting:
        key, value = waiting.pop()
        yield key, value
        if isinstance(value, dict):
            waiting += [(str(inner), each) for inner, each in value.items()]
        elif isinstance(value, list):
            waiting += [(key, each) for each in value]


def _check_class(name: str, fields: Mapping[str, Any]) -> None:
    model_type = fields.get("model_type")
    known = isinstance(model_type, str) and model_type in CONFIG_MAPPING
    if "auto_map" in fields:
        remedy = (
            "transformers has this architecture itself: remove the key auto_map from a copy"
            if known
            else "convert the model to an architecture that transformers itself has"
        )
        raise ModelError(
            f"{name}: {CONFIG} asks for code from the folder (auto_map). SaniLens runs no remote "
            f"code; {remedy}."
        )
    if not known:
        raise ModelError(
            f"{name}: {CONFIG}: model_type {_shown(model_type)} is none that transformers knows. "
            f"{_OWN}"
        )
    named = fields.get("architectures")
    if named is None:
        return
    if not isinstance(named, list) or not all(isinstance(each, str) for each in named):
        raise ModelError(f"{name}: {CONFIG}: architectures must be a list of names. {_OWN}")
    if other := [each for each in named if not each.endswith(_LANGUAGE)]:
        raise ModelError(
            f"{name}: {CONFIG} names {_shown(other[0])}, whose head says no words: what it knows "
            "cannot be read off it. Give the language model that it was made from. If the weights "
            "hold a language model's head after all, name its class in architectures."
        )
    if fields.get("is_decoder") and any(each.endswith("ForMaskedLM") for each in named):
        raise ModelError(
            f"{name}: {CONFIG} names {_shown(named[0])}, which reads both ways, and is_decoder, "
            f"under which it reads from left to right. {_OWN}"
        )


def _check_redirection(name: str, key: str, value: Any) -> None:
    if value is None:
        return
    if key in _QUANTISED:
        method = value.get("quant_method") if isinstance(value, dict) else None
        raise ModelError(
            f"{name}: {CONFIG} says that the weights are quantised ({key}"
            f"{f': {method[:40]}' if isinstance(method, str) else ''}). Give the model that they "
            "were made from, in float16, bfloat16 or float32 (`sanilens export --bits` audits what "
            "it packs as it packs it). If these weights are plain numbers again, remove the key "
            "from a copy."
        )
    if key in _ELSEWHERE or (_ATTENTION.fullmatch(key) and value not in ("eager", "sdpa")):
        raise ModelError(
            f"{name}: {CONFIG}: the key {key} asks for other files or kernels than these. Remove "
            "it from a copy."
        )
    if callable(getattr(PretrainedConfig, key, None)):
        raise ModelError(f"{name}: {CONFIG}: {key[:40]} is no setting of a model. {_OWN}")


def _check_number(name: str, key: str, value: Any) -> None:
    """One number, in the range that its name allows; other types are the library's to refuse."""
    if value is None or isinstance(value, list | dict):
        return
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if key in _COUNTS:
        lowest = 8 if key in _CONTEXT else 1
        wrong = not isinstance(number, int) or number < lowest
    elif _DROPOUT.search(key):
        wrong = number is not None and not 0 <= number < 1
    elif _EPSILON.search(key):
        wrong = number is None or not 0 <= number <= 0.1
    elif key == "initializer_range":
        wrong = number is None or not 0 <= number <= 10
    elif key == "chunk_size_feed_forward":  # a text of any other length could not be read
        wrong = number not in (0, 1)
    else:
        wrong = False
    if isinstance(number, int) and _SIZE.search(key):
        layers, labels = key.endswith(("layer", "layers")), "label" in key or "expert" in key
        wrong |= abs(number) > (MAX_LAYERS if layers else MAX_LABELS if labels else MAX_COUNT)
    if wrong:
        raise ModelError(f"{name}: {CONFIG}: {key} cannot be {_shown(value)}. {_OWN}")


def _shown(value: Any) -> str:
    return repr(value) if len(repr(value)) <= 40 else f"a {type(value).__name__}"
