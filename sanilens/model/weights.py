"""What a folder's safetensors files hold, by their headers alone: no tensor is read.

A header is a JSON object of names, types, shapes and places. Everything here is checked before a
library opens the file, and before memory is asked for.
"""

import math
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic_core import from_json

from sanilens.errors import ModelError
from sanilens.model.files import own_file, read_object

WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"
MAX_HEADER_BYTES = 16 * 2**20
_SHARD = re.compile(r"model-\d+-of-\d+\.safetensors")
# What torch.distributed writes, and transformers would prefer to everything else.
_DISTRIBUTED = re.compile(r"shard-\d+-model-\d+-of-\d+\.safetensors")
_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "BOOL": 1}
_BYTES |= {f"{sign}{8 * size}": size for sign in "IU" for size in (1, 2, 4, 8)}
_DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
# Integers are the masks and positions of older models, unless their name is a weight's.
_PACKED = re.compile(r"weight|zeros|W_q")
_Natural = Annotated[int, Field(ge=0, lt=2**63)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    dtype: str
    shape: Annotated[list[_Natural], Field(max_length=8)]
    data_offsets: Annotated[list[_Natural], Field(min_length=2, max_length=2)]


_HEADER, _METADATA = TypeAdapter(dict[str, _Entry]), TypeAdapter(dict[str, str])


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor as a file holds it: the safetensors name of its type, and its shape."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The safetensors files that make up the model: one, or the shards that the index names.

    Raises:
        ModelError: if there are none, or two sets of them, or one lies elsewhere.
    """
    names = {path.name for path in folder.glob("*.safetensors")}
    if any(map(_DISTRIBUTED.fullmatch, names)):
        raise ModelError(
            f"{folder.name}: a distributed checkpoint (shard-…). Gather it and save the model with "
            "save_pretrained."
        )
    shards = set(filter(_SHARD.fullmatch, names))
    if (folder / INDEX).exists():
        shards |= (indexed := _indexed(folder))
        if unnamed := sorted(shards - indexed - {WHOLE}):
            raise ModelError(
                f"{folder.name}: {INDEX} does not name {unnamed[0]}. Delete the shards that are "
                "left over from an older save, or save the model again into an empty folder."
            )
        if WHOLE in names and indexed != {WHOLE}:
            raise _two_sets(folder)
        return tuple(own_file(folder, name) for name in sorted(indexed))
    if WHOLE in names:
        if shards:
            raise _two_sets(folder)
        return (own_file(folder, WHOLE),)
    if shards:
        raise ModelError(
            f"{folder.name}: shards without {INDEX}. Copy the index too, or save the model again."
        )
    raise _none(folder)


def stored_tensors(folder: Path) -> dict[str, Stored]:
    """Every tensor of the folder's weights, by name.

    Raises:
        ModelError: if a file is damaged, holds empty or quantised tensors, or two hold one tensor.
    """
    found: dict[str, Stored] = {}
    for path in weight_files(folder):
        tensors = _read_header(folder, path)
        if twice := sorted(found.keys() & tensors.keys()):
            raise ModelError(
                f"{folder.name}: {path.name} holds {twice[0][:80]!r}, which another file holds "
                "too. Save the model again into an empty folder."
            )
        found |= tensors
    if (folder / INDEX).exists():
        named = read_object(folder, INDEX)["weight_map"]
        if absent := sorted(named.keys() - found.keys()):
            raise ModelError(
                f"{folder.name}: {INDEX} names {absent[0][:80]!r}, which no file holds. The index "
                "and the shards are of different saves: save the model again."
            )
    _check_kinds(folder, found)
    return found


def stored_dtype(folder: Path) -> torch.dtype:
    """The type in which a folder's files hold most of its weights, whatever they are loaded as."""
    counts: Counter[str] = Counter()
    for tensor in stored_tensors(folder).values():
        if tensor.dtype in _DTYPES:  # an older model's masks may outnumber the weights
            counts[tensor.dtype] += tensor.size
    return _DTYPES[counts.most_common(1)[0][0]]


def file_tensors(folder: Path, name: str) -> dict[str, Stored]:
    """Every tensor of one safetensors file in a folder that is no model's.

    Raises:
        ModelError: if the file is missing or damaged, or holds empty or quantised tensors.
    """
    found = _read_header(folder, own_file(folder, name))
    _check_kinds(folder, found)
    return found


def _indexed(folder: Path) -> set[str]:
    fields = read_object(folder, INDEX)
    named = fields.get("weight_map")
    if not isinstance(named, dict) or not isinstance(fields.get("metadata"), dict) or not named:
        raise ModelError(
            f"{folder.name}: {INDEX} has no weight_map and metadata. Save the model again."
        )
    files = {file for file in named.values() if isinstance(file, str)}
    if len(files) > 10_000 or not all(isinstance(file, str) for file in named.values()):
        raise ModelError(f"{folder.name}: {INDEX} names no files. Save the model again.")
    if any(not file.endswith(".safetensors") for file in files):
        raise ModelError(
            f"{folder.name}: {INDEX} names files that are not *.safetensors. Save the model again."
        )
    return files


def _two_sets(folder: Path) -> ModelError:
    return ModelError(
        f"{folder.name}: two sets of weights, {WHOLE} and shards (model-00001-of-…). One of them "
        "is older, and which one would be loaded is chance: delete it."
    )


def _none(folder: Path) -> ModelError:
    if any(folder.glob("*.gguf")):
        return ModelError(
            f"{folder.name}: GGUF weights are quantised, for llama.cpp. Give the model that they "
            "were made from, with safetensors weights."
        )
    return ModelError(
        f"{folder.name}: no *.safetensors weights ({WHOLE}). Pickled weights (.bin, .pt) can "
        "execute code and are never loaded; convert them with "
        "save_pretrained(safe_serialization=True)."
    )


def _read_header(folder: Path, path: Path) -> dict[str, Stored]:
    """The header of one file, which must account for each of its bytes."""
    with path.open("rb") as handle:
        length = int.from_bytes(handle.read(8), "little")
        rest = path.stat().st_size - 8 - length
        if rest < 0 or length > MAX_HEADER_BYTES:
            raise _damaged(folder, path, "its header is cut off or no safetensors header")
        try:
            header = from_json(handle.read(length), allow_inf_nan=False)
            if isinstance(header, dict):
                _METADATA.validate_python(header.pop("__metadata__", {}))
            entries = _HEADER.validate_python(header)
        except ValueError as error:  # ValidationError is one
            detail = "its header is not that of a safetensors file"
            raise _damaged(folder, path, detail) from error
    if not entries:
        raise _damaged(folder, path, "it holds no tensor")
    end = 0
    for entry in sorted(entries.values(), key=lambda entry: entry.data_offsets):
        size = _BYTES.get(entry.dtype)
        if entry.data_offsets[0] != end or entry.data_offsets[1] < end:
            raise _damaged(folder, path, "its tensors overlap or leave gaps")
        held, end = entry.data_offsets[1] - end, entry.data_offsets[1]
        if size and held != size * math.prod(entry.shape):
            raise _damaged(folder, path, "shapes and sizes of its tensors differ")
    if end != rest:
        raise _damaged(folder, path, f"it should have {end} bytes of tensors and has {rest}")
    return {name: Stored(entry.dtype, tuple(entry.shape)) for name, entry in entries.items()}


def _damaged(folder: Path, path: Path, what: str) -> ModelError:
    return ModelError(f"{folder.name}: {path.name} is damaged: {what}. Copy or download it again.")


def _check_kinds(folder: Path, tensors: dict[str, Stored]) -> None:
    """Refuse what is not plain numbers: quantised weights, and stubs that hold nothing."""
    if empty := [name for name, tensor in tensors.items() if tensor.size == 0]:
        raise ModelError(
            f"{folder.name}: {len(empty)} of {len(tensors)} weights are empty, "
            f"{empty[0][:80]!r} first: DeepSpeed ZeRO-3 saved stubs. Gather them before saving "
            "(stage3_gather_16bit_weights_on_model_save), or use zero_to_fp32.py."
        )
    for name, tensor in tensors.items():
        last = name.rpartition(".")[2]
        if tensor.dtype not in _BYTES or (tensor.dtype[0] in "IU" and _PACKED.search(last)):
            raise ModelError(
                f"{folder.name}: {name[:80]!r} is stored as {tensor.dtype[:16]}: the weights are "
                "quantised. Give the model that they were made from, in float16, bfloat16 or "
                "float32."
            )
