"""Headers of safetensors files: damaged, empty, packed; seen before a tensor is read."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from sanilens.errors import ModelError
from sanilens.model.weights import stored_tensors

GOOD = {"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}


def write(folder: Path, header: Any, data: bytes = bytes(16), length: int | None = None) -> None:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    start = struct.pack("<Q", len(text) if length is None else length)
    (folder / "model.safetensors").write_bytes(start + text + data)


def changed(**fields: Any) -> dict[str, Any]:
    return {"a": GOOD["a"] | fields}


def test_names_types_and_shapes(tmp_path: Path) -> None:
    tensors = {"a": torch.zeros(2, 3, dtype=torch.float16), "b.c": torch.zeros(()), "m": None}
    tensors["m"] = torch.ones(1, 1, 4, 4, dtype=torch.bool)
    save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    found = stored_tensors(tmp_path)
    assert {name: (each.dtype, each.shape, each.size) for name, each in found.items()} == {
        "a": ("F16", (2, 3), 6), "b.c": ("F32", (), 1), "m": ("BOOL", (1, 1, 4, 4), 16),
    }  # fmt: skip


@pytest.mark.parametrize(
    "header",
    [
        b"", b"x", b"{", b"[]", b"3", b"[" * 100_000, b'{"a": NaN}', b"\xff" * 10, {}, {"a": 3},
        {"__metadata__": {"format": "pt"}},
        GOOD | {"__metadata__": 3},
        GOOD | {"__metadata__": {"a": 1}},
        changed(shape=[2, 3]), changed(shape=[-2, -2]), changed(shape=None),
        changed(shape=[2.0, 2]),
        changed(shape=[2**62, 2**62]), changed(shape=[True, 4]), changed(shape=[1] * 100 + [4]),
        changed(data_offsets=[0, 15]), changed(data_offsets=[4, 16]), changed(data_offsets=[16, 0]),
        changed(data_offsets=[0, 2**63]), changed(data_offsets=[0]), changed(data_offsets=None),
        changed(dtype="F64"), changed(dtype=3), changed(extra=1),
        GOOD | {"b": GOOD["a"]},
    ],
    ids=lambda header: str(header)[:60],
)  # fmt: skip
def test_a_damaged_header_is_named(header: Any, tmp_path: Path) -> None:
    write(tmp_path, header)
    with pytest.raises(ModelError, match=r"model\.safetensors is damaged.*Copy or download"):
        stored_tensors(tmp_path)


@pytest.mark.parametrize("length", [0, 1, 2**20, 2**30, 2**63, 2**64 - 1])
def test_a_wrong_length_is_named(length: int, tmp_path: Path) -> None:
    write(tmp_path, GOOD, length=length)
    with pytest.raises(ModelError, match="is damaged"):
        stored_tensors(tmp_path)


@pytest.mark.parametrize("size", [0, 4, 8, 40, 100, 120])
def test_every_byte_is_accounted_for(size: int, tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    path = tmp_path / "model.safetensors"
    stored_tensors(tmp_path)
    path.write_bytes((path.read_bytes() + bytes(100))[:size])
    with pytest.raises(ModelError, match="is damaged"):
        stored_tensors(tmp_path)


def test_stubs_of_zero_3_have_their_remedy(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(0), "b": torch.zeros(3)}, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match=r"1 of 2 weights are empty, 'a' first.*Gather them"):
        stored_tensors(tmp_path)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("model.layers.0.q_proj.weight", torch.uint8),  # bitsandbytes, 4 bits
        ("model.layers.0.q_proj.weight", torch.int8),  # bitsandbytes, 8 bits
        ("model.layers.0.q_proj.qweight", torch.int32),  # GPTQ, AWQ
        ("model.layers.0.q_proj.qzeros", torch.int32),
        ("model.layers.0.q_proj.weight_packed", torch.int32),  # compressed-tensors
        ("model.layers.0.q_proj.weight", torch.uint32),  # MLX
        ("model.layers.0.q_proj.W_q", torch.uint8),  # HQQ
        ("model.layers.0.q_proj.weight", torch.float8_e4m3fn),
        ("model.layers.0.q_proj.weight", torch.float8_e5m2),
    ],
    ids=str,
)
def test_packed_weights_are_refused_whatever_config_says(
    name: str, dtype: torch.dtype, tmp_path: Path
) -> None:
    tensors = {name: torch.zeros(4, 4).to(dtype), "norm.weight": torch.ones(4)}
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="the weights are quantised"):
        stored_tensors(tmp_path)


def test_masks_and_positions_of_older_models_are_none(tmp_path: Path) -> None:
    tensors = {
        "h.0.attn.bias": torch.ones(1, 1, 4, 4, dtype=torch.uint8),
        "embeddings.position_ids": torch.arange(4)[None],
    }
    save_file(tensors, tmp_path / "model.safetensors")
    assert len(stored_tensors(tmp_path)) == 2
