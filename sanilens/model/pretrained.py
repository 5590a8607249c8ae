"""A model of a checked folder, as it was saved: every weight there, finite, and in its place.

What transformers does silently is refused here: weights it would make up, weights it would leave
out, a head of another kind, numbers that are none.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)
from transformers.utils.logging import get_logger

from sanilens.errors import ModelError
from sanilens.model.config import CONFIG, check_class_name, read_config
from sanilens.model.libraries import as_model_error
from sanilens.model.sites import is_masked
from sanilens.model.weights import Stored, stored_tensors

# Encoders: a checkpoint of theirs may name another head, which transformers would quietly replace
# by a decoder's, with attention to both sides.
_ENCODERS = ("bert", "roberta", "xlm-roberta", "distilbert")
# What an encoder's pre-training leaves beside the head that fills gaps.
_BESIDE = re.compile(r"(^|\.)(pooler|seq_relationship)\.")
# Room for what a model computes on its own: tables of positions, and heads tied to nothing.
_SPARE = 2**24
_PROBE = 8
_OWN = f"Use the {CONFIG} that was saved with these weights."


def load_pretrained(folder: Path, device: str) -> PreTrainedModel:
    """The model of a folder that `check_folder` found sound, in float32, for reading only.

    Raises:
        ModelError: if weights and configuration do not make one whole language model.
    """
    name, fields, tensors = folder.name, read_config(folder), stored_tensors(folder)
    loader = _loader(fields)
    local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    with _quiet():
        with as_model_error(f"{name}: transformers makes no model of {CONFIG}", _OWN):
            config = AutoConfig.from_pretrained(folder, **local)
            _check_size(name, loader, config, fields, tensors)
        with as_model_error(f"{name}: the weights do not fit {CONFIG}", _OWN):
            # float32: audits compare log-probabilities, and half precision flips near ties.
            loaded: Any = loader.from_pretrained(
                folder,
                config=config,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
                **local,
            )
    model, info = loaded
    _check_keys(name, type(model).__name__, info, tensors)
    _check_finite(name, model)
    with as_model_error(f"{name}: the model does not fit on {device}", "Choose another device."):
        model.eval().requires_grad_(False).to(device)
    with as_model_error(f"{name}: the model cannot compute with {CONFIG}", _OWN):
        _check_logits(name, model)
    _guard_ids(model)
    return model


def _loader(fields: Mapping[str, Any]) -> type[AutoModelForCausalLM] | type[AutoModelForMaskedLM]:
    """Masked for a masked-LM head, and for an encoder whatever head it names."""
    named = [is_masked(each) for each in fields.get("architectures") or ()]
    encoder = fields["model_type"] in _ENCODERS and not fields.get("is_decoder")
    return AutoModelForMaskedLM if any(named) or encoder else AutoModelForCausalLM


@contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' own report of keys: one message says what is wrong with a folder."""
    logger = get_logger("transformers")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _check_size(
    name: str,
    loader: type[AutoModelForCausalLM] | type[AutoModelForMaskedLM],
    config: PretrainedConfig,
    fields: Mapping[str, Any],
    tensors: Mapping[str, Stored],
) -> None:
    """Compare the model that the configuration describes with the files, before it takes memory."""
    with torch.device("meta"):
        outline = loader.from_config(config)
    check_class_name(name, fields, type(outline).__name__)
    # One that is tied counts once.
    described = sum(each.numel() for each in (*outline.parameters(), *outline.buffers()))
    held = sum(tensor.size for tensor in tensors.values())
    if described > 2 * held + _SPARE:
        raise ModelError(
            f"{name}: {CONFIG} describes a model of {described:,} numbers, the files hold "
            f"{held:,}. {_OWN}"
        )


def _check_keys(
    name: str, made: str, info: Mapping[str, Any], tensors: Mapping[str, Stored]
) -> None:
    if missing := sorted(info["missing_keys"]):
        raise ModelError(
            f"{name}: {len(missing)} weights are missing, {missing[0]!r} first, and would "
            "be random. Is this the whole model, and a causal or masked language model?"
        )
    left = [key for key in sorted(info["unexpected_keys"]) if not _is_idle(key, tensors)]
    if left:
        raise ModelError(
            f"{name}: {len(left)} weights have no place in {made} as {CONFIG} describes it, "
            f"{left[0][:80]!r} first, and would be left out. {_OWN}"
        )
    if wrong := sorted(str(key) for key in info["mismatched_keys"]):
        raise ModelError(f"{name}: {wrong[0][:120]} has another shape in {CONFIG}. {_OWN}")


def _is_idle(key: str, tensors: Mapping[str, Stored]) -> bool:
    """Whether what a key names decides nothing: an encoder's other head, an older model's mask."""
    stored = tensors.get(key)
    return bool(_BESIDE.search(key)) or (stored is not None and len(stored.shape) in (0, 4))


def _check_finite(name: str, model: PreTrainedModel) -> None:
    """Refuse a weight that is NaN or infinite, as a diverged training leaves it."""
    wrong = [
        path
        for path, weight in model.named_parameters()
        if not all(map(torch.isfinite, torch.aminmax(weight)))
    ]
    # A buffer may be a mask of infinities.
    wrong += [path for path, buffer in model.named_buffers() if bool(buffer.isnan().any())]
    if wrong:
        raise ModelError(
            f"{name}: {len(wrong)} weights hold NaN or infinity, {wrong[0]!r} first: whatever is "
            "measured of such a model means nothing. Use a checkpoint from before the training "
            "diverged."
        )


@torch.inference_mode()
def _check_logits(name: str, model: PreTrainedModel) -> None:
    """One pass over a few tokens: finite weights can still overflow, or say the same of all."""
    ids = torch.linspace(0, _rows(model) - 1, _PROBE, device=model.device).long()[None]
    logits = model(input_ids=ids).logits
    if not bool(logits.isfinite().all()):
        raise ModelError(
            f"{name}: the model answers with NaN or infinity: whatever is measured of it means "
            f"nothing. Use a checkpoint from before the training diverged, and its own {CONFIG}."
        )
    if bool((logits.amax(-1) == logits.amin(-1)).all()):
        raise ModelError(
            f"{name}: the model gives every token the same score: it says nothing. Its weights "
            "may be zeros; copy or download them again."
        )


def _guard_ids(model: PreTrainedModel) -> None:
    """Refuse ids without an embedding wherever they come from; a GPU would end the process."""
    rows = _rows(model)

    def check(_module: nn.Module, args: tuple[Any, ...]) -> None:
        if not args or not args[0].numel():
            return
        lowest, highest = torch.aminmax(args[0])
        if int(lowest) < 0 or int(highest) >= rows:
            raise ModelError(
                f"a text holds a token for which the model has no embedding (it has {rows}): "
                "tokens were added to its tokenizer, and the model not resized. Use the tokenizer "
                "that the model was trained with, or take that token out of the text."
            )

    model.get_input_embeddings().register_forward_pre_hook(check)


def check_vocabulary(name: str, tokenizer: PreTrainedTokenizerFast, model: PreTrainedModel) -> None:
    """Refuse a tokenizer that makes ids of ordinary text for which the model has no embedding.

    A special token may be beyond them (Gemma 3's small models have one for images): a text that
    holds it is refused when it is read.

    Raises:
        ModelError: saying how many there are.
    """
    rows, added = _rows(model), tokenizer.added_tokens_decoder
    beyond = [
        token
        for token in tokenizer.get_vocab().values()
        if token >= rows and not (token in added and added[token].special)
    ]
    if beyond:
        raise ModelError(
            f"{name}: the tokenizer has {len(beyond)} tokens for which the model has no embedding, "
            f"from id {min(beyond)} on (it has {rows}): tokens were added, and the model not "
            "resized. Use the tokenizer that the model was trained with."
        )


def _rows(model: PreTrainedModel) -> int:
    return model.get_input_embeddings().get_parameter("weight").shape[0]
