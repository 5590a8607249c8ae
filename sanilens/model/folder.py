"""A model's folder before any library reads it: found, checked, and its SHA-256.

Safetensors only, no remote code; the network is used only for a hub id that the user typed.
"""

import hashlib
import json
import math
import re
from collections import Counter
from pathlib import Path

import torch
from safetensors import safe_open

from sanilens.errors import ModelError

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?")
# What a model needs and nothing that executes: no pickle, no Python.
_HUB_FILES = ["*.safetensors", "*.safetensors.index.json", "config.json", "generation_config.json"]
_VOCABULARIES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")
_TOKENIZER_FILES = [
    "tokenizer*.json",
    "special_tokens_map.json",
    "*.model",
    "vocab.*",
    "merges.txt",
]

# How safetensors calls the types that weights are stored in.
_DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def local_folder(source: str) -> Path:
    """The folder that `source` names; a hub id is downloaded.

    Raises:
        ModelError: if it is neither.
    """
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder.resolve()
    if folder.exists():
        raise ModelError(f"{folder.name} is a file. Give the model's folder (with config.json).")
    if not _HUB_ID.fullmatch(source):
        raise ModelError(
            f"{source!r} is neither a folder that exists nor a hub id such as 'owner/name'."
        )
    # Imported here: only a hub id needs it, and only then may anything reach for the network.
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        found = snapshot_download(source, allow_patterns=[*_HUB_FILES, *_TOKENIZER_FILES])
    except (OSError, HfHubHTTPError, HFValidationError, ValueError) as error:
        raise ModelError(
            f"{source!r} is no local folder, and the hub did not give it ({type(error).__name__}). "
            "Check the spelling, the network and your access, or give a local folder."
        ) from error
    return Path(found)


def check_folder(folder: Path) -> None:
    """Name what is wrong with a folder before any library reads it.

    Raises:
        ModelError: saying which file is missing, unsafe or malformed, and how to mend it.
    """
    if (folder / "adapter_config.json").exists():
        raise ModelError(
            f"{folder.name} holds a PEFT adapter. Merge it first (merge_and_unload, then "
            "save_pretrained) and give the merged folder."
        )
    config = folder / "config.json"
    if not config.is_file():
        raise ModelError(
            f"{folder.name}: config.json is missing. Give a Hugging Face model folder."
        )
    try:
        fields = json.loads(config.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"{folder.name}: config.json is not valid JSON. Save the model again."
        ) from error
    if not isinstance(fields, dict):
        raise ModelError(f"{folder.name}: config.json must hold one JSON object.")
    if "auto_map" in fields:
        raise ModelError(
            f"{folder.name}: config.json asks for code from the folder (auto_map). SaniLens runs "
            "no remote code; convert the model to an architecture that transformers itself has."
        )
    # transformers makes an empty tokenizer up where there is none.
    if not any((folder / name).is_file() for name in _VOCABULARIES):
        raise ModelError(
            f"{folder.name}: no tokenizer (tokenizer.json). Save the tokenizer with the model."
        )
    if not any(folder.glob("*.safetensors")):
        raise ModelError(
            f"{folder.name}: no *.safetensors weights. Pickled weights (.bin, .pt) can execute "
            "code and are never loaded; convert them with save_pretrained(safe_serialization=True)."
        )


def fingerprint_folder(folder: Path) -> str:
    """SHA-256 over the names and contents of the weights, configuration and tokenizer."""
    digest = hashlib.sha256()
    names = {"config.json", "tokenizer.json", "tokenizer.model"}
    files = [p for p in folder.iterdir() if p.suffix == ".safetensors" or p.name in names]
    for path in sorted(files, key=lambda p: p.name):
        with path.open("rb") as handle:
            content = hashlib.file_digest(handle, "sha256").hexdigest()
        digest.update(f"{path.name}\0{content}\n".encode())
    return digest.hexdigest()


def stored_dtype(folder: Path) -> torch.dtype:
    """The type in which a folder's files hold most of its weights, whatever they are loaded as."""
    counts: Counter[torch.dtype] = Counter()
    for path in folder.glob("*.safetensors"):
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - not a dict
                tensor = file.get_slice(name)
                counts[_DTYPES[tensor.get_dtype()]] += math.prod(tensor.get_shape())
    return counts.most_common(1)[0][0]
