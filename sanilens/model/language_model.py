"""Load the examined model: a Hugging Face language model exactly as it is, and its fingerprint.

Causal models (decoders) continue text; masked ones (BERT and its kin) fill gaps in it.

Safetensors only, no remote code, float32; the network is used only for a hub id that the user
typed. Nothing changes a `LanguageModel` in place, unless the function's name ends in `_`.
"""

import copy
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from uuid import uuid4

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from sanilens.errors import ModelError
from sanilens.model.families import context_length
from sanilens.model.folder import check_folder, fingerprint_folder, local_folder
from sanilens.model.hub import in_cache
from sanilens.model.libraries import as_model_error
from sanilens.model.pretrained import check_vocabulary, load_outline, load_pretrained
from sanilens.model.sites import Sites, find_sites, is_masked
from sanilens.model.tokenizer import load_tokenizer

ModelKind = Literal["causal", "masked"]
"""Whether a model continues text or fills gaps in it."""


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """The examined model, its tokenizer, its sites, and the SHA-256 of its files.

    `fingerprint`: of a copy that may be changed a name that nothing else has.

    `opening`: the tokens before every text, instead of those that the tokenizer puts there; None
    for the tokenizer's own. What the model was trained with decides (audit/opening.py).
    """

    module: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    sites: Sites
    path: Path
    fingerprint: str
    opening: tuple[int, ...] | None = None

    @property
    def name(self) -> str:
        """The folder's name, or the repository's: what a person calls this model."""
        return in_cache(self.path) or self.path.name

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return self.module.device

    @property
    def max_tokens(self) -> int:
        """Longest sequence that the model was made for."""
        return context_length(self.module.config)

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
                "at random, and the repairs stranger, surrogate and masked work with it."
            )

    def copied(self) -> "LanguageModel":
        """The same model with weights of its own, to be edited or trained.

        What it becomes has no fingerprint yet: it gets a name that nothing was ever kept under.
        """
        name = hashlib.sha256(uuid4().bytes).hexdigest()
        return replace(self, module=copy.deepcopy(self.module), fingerprint=name)


def load_model(source: str | Path, *, device: str = "auto", fetch: bool = False) -> LanguageModel:
    """Load a local Hugging Face folder, or one of the hub, with safetensors weights.

    Args:
        source: a folder, or `hub:owner/name`.
        device: a torch device, or `auto`: CUDA where there is one, else the CPU.
        fetch: download a model of the hub; only for what the user typed.

    Raises:
        ModelError: saying which file is missing, unsafe or malformed, and how to mend it.
    """
    folder = local_folder(str(source), fetch=fetch)
    check_folder(folder)
    outline = load_outline(folder)
    where = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    tokenizer = load_tokenizer(folder)
    with torch.inference_mode(False):
        module = load_pretrained(folder, outline, where)
    check_vocabulary(folder.name, tokenizer, module)
    # Whoever loads may be reading only; what a model is gets measured by gradients.
    with (
        torch.inference_mode(False),
        as_model_error(
            f"{folder.name}: its layers are not as TransformerLens knows them",
            "Use the config.json that was saved with these weights.",
        ),
    ):
        sites = find_sites(module)
    model = LanguageModel(module, tokenizer, sites, folder, fingerprint_folder(folder))
    if model.kind == "masked" and tokenizer.mask_token_id is None:
        raise ModelError(
            f"{folder.name}: a masked language model, but its tokenizer has no mask token. "
            "Save the tokenizer that the model was trained with."
        )
    return model
