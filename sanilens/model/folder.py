"""A model's folder before any library reads it: found, checked, and its SHA-256.

Safetensors only, no remote code; the network is used only for a hub id that the user typed.
"""

import hashlib
from pathlib import Path

from sanilens.errors import ModelError
from sanilens.model.config import CONFIG, GENERATION, check_config, read_config
from sanilens.model.files import check_entries, own_file, read_object
from sanilens.model.hub import PREFIX, hint, is_hub, snapshot
from sanilens.model.weights import INDEX, WHOLE, stored_tensors, weight_files

# What a model needs and nothing that executes: no pickle, no Python.
_HUB_FILES = ("*.safetensors", "*.safetensors.index.json", CONFIG, GENERATION)
_VOCABULARIES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")
_TOKENIZER_FILES = (
    "tokenizer*.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "*.model",
    "*.tiktoken",
    "vocab.*",
    "merges.txt",
)


def local_folder(source: str, *, fetch: bool = False) -> Path:
    """The folder that `source` names.

    Args:
        source: a folder, or `hub:owner/name`.
        fetch: download the hub's; only for what the user typed. Else this machine's cache is read.

    Raises:
        ModelError: if there is no such folder.
    """
    if is_hub(source):
        files = [*_HUB_FILES, *_TOKENIZER_FILES]
        return snapshot(source.removeprefix(PREFIX), files, fetch=fetch)
    try:
        folder = Path(source).expanduser().resolve()
        if folder.is_dir():
            return folder
        file = folder.name if folder.exists() else None
    except (OSError, ValueError, RuntimeError):  # too long, no name at all, a ring of links
        file = None
    if file:
        raise ModelError(f"{file} is a file. Give the model's folder (with {CONFIG}).")
    raise ModelError(
        f"{source[:200]!r} is neither a folder that exists nor one of the hub ({PREFIX}owner/name)."
        f"{hint(source)}"
    )


def check_folder(folder: Path) -> None:
    """Name what is wrong with a folder before any library reads it.

    Raises:
        ModelError: saying which file is missing, unsafe or malformed, and how to mend it.
    """
    check_entries(folder)
    if (folder / "adapter_config.json").exists():
        raise ModelError(
            f"{folder.name} holds a PEFT adapter. Merge it first (merge_and_unload, then "
            "save_pretrained) and give the merged folder."
        )
    fields = read_config(folder)
    # transformers makes an empty tokenizer up where there is none.
    if not any((folder / name).is_file() for name in _VOCABULARIES):
        raise ModelError(
            f"{folder.name}: no tokenizer (tokenizer.json). Save the tokenizer with the model."
        )
    check_config(folder.name, fields, stored_tensors(folder))
    if (folder / GENERATION).exists():
        read_object(folder, GENERATION)


def fingerprint_folder(folder: Path) -> str:
    """SHA-256 over the names and contents of every file that decides what the model says.

    Weights with their index, configuration and tokenizer; not the files that are never read.

    Raises:
        ModelError: if the folder has no weights of its own.
    """
    names = {path.relative_to(folder).as_posix() for path in weight_files(folder)}
    if WHOLE not in names:
        names.add(INDEX)
    for pattern in (CONFIG, GENERATION, *_TOKENIZER_FILES):
        names |= {path.name for path in folder.glob(pattern) if not path.is_dir()}
    digest = hashlib.sha256(b"sanilens model 2\n")
    for name in sorted(names):
        digest.update(f"{name}\0{_sha256(own_file(folder, name))}\n".encode())
    return digest.hexdigest()


def earlier_fingerprint(folder: Path) -> str:
    """What plans once held in place of the fingerprint: a hash of fewer files."""
    digest = hashlib.sha256()
    names = {"config.json", "tokenizer.json", "tokenizer.model"}
    files = [p for p in folder.iterdir() if p.suffix == ".safetensors" or p.name in names]
    for path in sorted(files, key=lambda p: p.name):
        digest.update(f"{path.name}\0{_sha256(path)}\n".encode())
    return digest.hexdigest()


def why_another(folder: Path, sha256: str) -> str:
    """What to say of a folder whose fingerprint is not `sha256`: changed, or hashed otherwise."""
    if earlier_fingerprint(folder) == sha256:
        return (
            "an earlier version of SaniLens made it, which hashed fewer of the model's files. "
            "Those are the same still"
        )
    return "the model's files are others than those that it was made for"


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
