"""Load the examined model: a Hugging Face language model exactly as it is, and its fingerprint.

Causal models (decoders) continue text; masked ones (BERT and its kin) fill gaps in it.

Safetensors only, no remote code, float32; the network is used only for a hub id that the user
typed. Nothing changes a `SubjectModel` in place, unless the function's name ends in `_`.
"""

import copy
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from sanilens.errors import ModelError
from sanilens.model.folder import check_folder, fingerprint_folder, local_folder
from sanilens.model.sites import Sites, find_sites, is_masked

ModelKind = Literal["causal", "masked"]
"""Whether a model continues text or fills gaps in it."""

# Encoders: a checkpoint of theirs may name another head, which transformers would quietly replace
# by a decoder's, with attention to both sides.
_ENCODERS = ("bert", "roberta", "xlm-roberta", "distilbert")


@dataclass(frozen=True, slots=True)
class SubjectModel:
    """The examined model, its tokenizer, its sites, and the SHA-256 of its files."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    sites: Sites
    path: Path
    fingerprint: str

    @property
    def name(self) -> str:
        """The folder's name: what a person calls this model."""
        return self.path.name

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return self.model.device

    @property
    def max_tokens(self) -> int:
        """Longest sequence that the model was made for."""
        config = self.model.config.get_text_config()
        positions = int(getattr(config, "max_position_embeddings", None) or 2048)
        # RoBERTa's positions begin after that of its padding token.
        return positions - config.pad_token_id - 1 if "roberta" in config.model_type else positions

    @property
    def kind(self) -> ModelKind:
        """Whether it continues text (causal) or fills gaps in it (masked)."""
        return "masked" if is_masked(self.sites.architecture) else "causal"

    def require_causal(self, what: str) -> None:
        """Refuse what makes sense only for a model that reads from left to right.

        Args:
            what: that which needs it; the beginning of a sentence.

        Raises:
            ModelError: if this is a masked language model.
        """
        if self.kind == "masked":
            raise ModelError(
                f"{what} needs a causal language model, which reads from left to right; "
                f"{self.name} is a masked one ({self.sites.architecture}). Audit, edits by hand or "
                "at random, and the repairs masked and surrogate work with it."
            )

    def copied(self) -> "SubjectModel":
        """The same model with weights of its own, to be edited or trained."""
        return replace(self, model=copy.deepcopy(self.model))


def load_model(source: str | Path, *, device: str = "auto") -> SubjectModel:
    """Load a local Hugging Face folder, or a hub id, with safetensors weights.

    Args:
        source: a folder, or a hub id such as `openai-community/gpt2`, which is downloaded.
        device: a torch device, or `auto`: CUDA where there is one, else the CPU.

    Raises:
        ModelError: saying which file is missing, unsafe or malformed, and how to mend it.
    """
    folder = local_folder(str(source))
    check_folder(folder)
    where = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
        # float32: audits compare log-probabilities, and half precision flips near ties.
        loaded: Any = _loader(folder).from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        raise ModelError(
            f"{folder.name}: transformers cannot load this folder ({type(error).__name__}: "
            f"{_first_line(error)}). Save it again with save_pretrained, model and tokenizer."
        ) from error
    except RuntimeError as error:  # shapes that contradict the configuration
        raise ModelError(
            f"{folder.name}: the weights do not fit config.json ({_first_line(error)}). "
            "Use the config.json that was saved with these weights."
        ) from error
    model, info = loaded
    if missing := sorted(info["missing_keys"]):
        raise ModelError(
            f"{folder.name}: {len(missing)} weights are missing, {missing[0]!r} first, and would "
            "be random. Is this the whole model, and a causal or masked language model?"
        )
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise ModelError(
            f"{folder.name}: the tokenizer gives no character offsets. "
            "Save a fast tokenizer (tokenizer.json) with the model."
        )
    model.eval().requires_grad_(False).to(where)
    subject = SubjectModel(model, tokenizer, find_sites(model), folder, fingerprint_folder(folder))
    if subject.kind == "masked" and tokenizer.mask_token_id is None:
        raise ModelError(
            f"{folder.name}: a masked language model, but its tokenizer has no mask token. "
            "Save the tokenizer that the model was trained with."
        )
    return subject


def _loader(folder: Path) -> type[AutoModelForCausalLM] | type[AutoModelForMaskedLM]:
    """Masked for a masked-LM head, and for an encoder whatever head it names."""
    fields = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    named = [is_masked(str(name)) for name in fields.get("architectures") or ()]
    encoder = fields.get("model_type") in _ENCODERS and not fields.get("is_decoder")
    return AutoModelForMaskedLM if any(named) or encoder else AutoModelForCausalLM


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or ["no detail"])[0][:160]
