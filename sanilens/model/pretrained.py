"""Load a checked folder's model as it was saved: every weight there, finite and in its place.

What transformers does silently is refused: weights it would make up or leave out, a head of another
kind, values that are not numbers.
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
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)
from transformers.utils import logging as transformers_logging
from transformers.utils.logging import get_logger

from sanilens.errors import ModelError
from sanilens.model.config import CONFIG, GENERATION, check_class_name, read_config
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
_PROBE = 7  # a multiple of nothing
# Sums of products of such weights overflow float32: that is infinity one step later.
LARGEST = 1e15
_LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
_OWN = f"Use the {CONFIG} that was saved with these weights."


def load_outline(folder: Path) -> PreTrainedModel:
    """The model that a checked folder's configuration describes, without memory for its weights.

    Raises:
        ModelError: if transformers makes none of it, another class than it names, or one that is
            far larger than the files.
    """
    name, fields = folder.name, read_config(folder)
    loader = _loader(fields)
    with (
        quiet(),
        as_model_error(f"{name}: transformers makes no model of {CONFIG}", _OWN),
        torch.device("meta"),
    ):
        config = AutoConfig.from_pretrained(folder, **_LOCAL)
        outline = loader.from_config(config)
    check_class_name(name, fields, type(outline).__name__)
    # One that is tied counts once.
    described = sum(each.numel() for each in (*outline.parameters(), *outline.buffers()))
    held = sum(tensor.size for tensor in stored_tensors(folder).values())
    if described > 2 * held + _SPARE:
        raise ModelError(
            f"{name}: {CONFIG} describes a model of {described:,} numbers, the files hold "
            f"{held:,}. {_OWN}"
        )
    return outline


def load_pretrained(folder: Path, outline: PreTrainedModel, device: str) -> PreTrainedModel:
    """The model of a checked folder, in float32, for reading only.

    Args:
        folder: that which `check_folder` found sound.
        outline: what its configuration describes.
        device: a torch device.

    Raises:
        ModelError: if weights and configuration do not make one whole language model.
    """
    name = folder.name
    with quiet(), as_model_error(f"{name}: the weights do not fit {CONFIG}", _OWN):
        # float32: audits compare log-probabilities, and half precision flips near ties.
        loaded: Any = type(outline).from_pretrained(
            folder,
            config=outline.config,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are refused below, by name
            **_LOCAL,
        )
    model, info = loaded
    _check_keys(name, type(model).__name__, info, stored_tensors(folder))
    _check_finite(name, model)
    with as_model_error(f"{name}: the model does not fit on {device}", "Choose another device."):
        model.eval().requires_grad_(False).to(device)
    with as_model_error(f"{name}: the model cannot compute with {CONFIG}", _OWN):
        _check_logits(name, model)
    _guard_ids(model)
    _forget_decoding(name, model)
    return model


def _loader(fields: Mapping[str, Any]) -> type[AutoModelForCausalLM] | type[AutoModelForMaskedLM]:
    """Masked for a masked-LM head, and for an encoder whatever head it names."""
    named = [is_masked(each) for each in fields.get("architectures") or ()]
    encoder = fields["model_type"] in _ENCODERS and not fields.get("is_decoder")
    return AutoModelForMaskedLM if any(named) or encoder else AutoModelForCausalLM


@contextmanager
def quiet() -> Iterator[None]:
    """Without transformers' own report of keys: one message says what is wrong with a folder.

    And without its progress bar, which would stand between a notebook's tables.
    """
    logger, bars = get_logger("transformers"), transformers_logging.is_progress_bar_enabled()
    before = logger.level
    logger.setLevel(logging.ERROR)
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        logger.setLevel(before)
        if bars:
            transformers_logging.enable_progress_bar()


def _check_keys(
    name: str, made: str, info: Mapping[str, Any], tensors: Mapping[str, Stored]
) -> None:
    for key, stored, described in sorted(info["mismatched_keys"])[:1]:
        raise ModelError(
            f"{name}: the weights do not fit {CONFIG}: {key[:80]!r} is {list(stored)} in the "
            f"files and {list(described)} by it. {_OWN}"
        )
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


def _is_idle(key: str, tensors: Mapping[str, Stored]) -> bool:
    """Whether what a key names decides nothing: an encoder's other head, an older model's mask."""
    stored = tensors.get(key)
    return bool(_BESIDE.search(key)) or (stored is not None and len(stored.shape) in (0, 4))


@torch.inference_mode()
def _check_finite(name: str, model: PreTrainedModel) -> None:
    """Refuse a weight that is NaN or infinite, as a diverged training leaves it."""
    wrong = [
        path
        for path, weight in model.named_parameters()
        # NaN compares as no.
        if not all(abs(float(extreme)) <= LARGEST for extreme in torch.aminmax(weight))
    ]
    if wrong:
        raise ModelError(
            f"{name}: {len(wrong)} weights hold NaN or infinity, {wrong[0]!r} first: whatever is "
            "measured of such a model means nothing. Use a checkpoint from before the training "
            "diverged."
        )
    # What is computed of the configuration; infinities may be a mask.
    if none := [path for path, buffer in model.named_buffers() if bool(buffer.isnan().any())]:
        raise ModelError(f"{name}: {CONFIG} makes {none[0]!r} NaN. {_OWN}")
    for module in (model.get_input_embeddings(), model.get_output_embeddings()):
        if module is not None and not bool(module.get_parameter("weight").any()):
            raise ModelError(
                f"{name}: all embeddings are zero, so every token is the same to the model. Copy "
                "or download the weights again."
            )


@torch.inference_mode()
def _check_logits(name: str, model: PreTrainedModel) -> None:
    """One pass over a few tokens: finite weights can still overflow, or answer all alike."""
    ids = torch.linspace(0, _rows(model) - 1, _PROBE, device=model.device).long()[None]
    logits = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
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


def _forget_decoding(name: str, model: PreTrainedModel) -> None:
    """Keep of generation_config.json only which tokens open and end a text.

    `generate` would take from it whatever its caller does not set: many folders bring a penalty on
    repetition or several beams, under which a model does not say what it says greedily.
    """
    own = getattr(model, "generation_config", None)
    if own is None:
        return
    kept = {}
    for key in ("bos_token_id", "eos_token_id", "pad_token_id"):
        value = getattr(own, key, None)
        ids = value if isinstance(value, list) else [] if value is None else [value]
        if not all(isinstance(each, int) for each in ids):
            raise ModelError(
                f"{name}: {GENERATION}: {key} must be a token's id, or several. Use the file that "
                "was saved with these weights."
            )
        kept[key] = value
    model.generation_config = GenerationConfig(**kept)


def check_vocabulary(name: str, tokenizer: PreTrainedTokenizerFast, model: PreTrainedModel) -> None:
    """Refuse a tokenizer that makes ids of ordinary text for which the model has no embedding.

    A special token may be beyond them (Gemma 3's small models have one for images): a text that
    holds it is refused when it is read.

    Raises:
        ModelError: saying how many there are.
    """
    rows, added = _rows(model), tokenizer.added_tokens_decoder
    always = set(tokenizer("")["input_ids"])  # what opens or closes every text
    beyond = [
        token
        for token in {*tokenizer.get_vocab().values(), *always}
        if token >= rows and (token in always or not (token in added and added[token].special))
    ]
    if beyond:
        raise ModelError(
            f"{name}: the tokenizer has {len(beyond)} tokens for which the model has no embedding, "
            f"from id {min(beyond)} on (it has {rows}): tokens were added, and the model not "
            "resized. Use the tokenizer that the model was trained with."
        )


def _rows(model: PreTrainedModel) -> int:
    return model.get_input_embeddings().get_parameter("weight").shape[0]
