"""An adapter's file: kept and opened again, and whatever is not one of ours refused clearly."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from sanilens.errors import ModelError
from sanilens.model.hooks import hooked
from sanilens.model.language_model import LanguageModel
from sanilens.unlearn.adapter import Adapter
from sanilens.unlearn.methods import METHODS
from sanilens.unlearn.saved_adapter import MAX_BYTES, keep_adapter, open_adapter

ADAPTERS = [name for name, method in METHODS.items() if method.adapter]
IDS = torch.arange(1, 25).view(2, 12)


def made(model: LanguageModel, name: str, folder: Path) -> tuple[Adapter, Path]:
    """An adapter that does something, and its file."""
    method = METHODS[name]
    assert method.adapter
    adapter = method.adapter(model, method.options(), 0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in adapter.module.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    path = folder / "adapter.safetensors"
    keep_adapter(adapter, path, name, method.options(), model.fingerprint)
    return adapter, path


@torch.inference_mode()
def read(model: LanguageModel, adapter: Adapter) -> torch.Tensor:
    with hooked(model.module, adapter.hooks):
        return model.module(IDS).logits


def rewritten(
    path: Path,
    tensors: Mapping[str, torch.Tensor] | None = None,
    header: Mapping[str, str] | None = None,
) -> Path:
    """The same file with other tensors, or with other words in its header."""
    with safe_open(path, framework="pt") as file:
        words = {**file.metadata(), **(header or {})}
    other = path.with_name("other.safetensors")
    save_file(dict(tensors or load_file(path)), other, words)
    return other


@pytest.mark.parametrize("name", ADAPTERS)
def test_what_was_kept_does_the_same(model: LanguageModel, name: str, tmp_path: Path) -> None:
    adapter, path = made(model, name, tmp_path)
    with torch.inference_mode():
        bare = model.module(IDS).logits
    found = open_adapter(model, path)
    assert torch.equal(read(model, found), read(model, adapter))
    assert not torch.equal(read(model, found), bare)
    with torch.inference_mode():
        assert torch.equal(model.module(IDS).logits, bare)


def test_grun_and_eul_are_adapters() -> None:
    assert {"grun", "eul"} <= {*ADAPTERS}


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"method": "npo"}, "no method that trains an adapter"),
        ({"method": "os.system"}, "no method that trains an adapter"),
        ({"model": "0" * 64}, "another model"),
        ({"options": "{"}, "options are damaged"),
        ({"options": "[" * 100_000}, "options are damaged"),
        ({"options": '{"rank": 1e999}'}, "options are damaged"),
        ({"options": '{"rank": 99999999}'}, "options are damaged"),
        ({"options": '{"code": "import os"}'}, "options are damaged"),
        ({"options": '{"rank": 5}'}, "does not fit"),
    ],
)
def test_a_strange_header_is_refused(
    model: LanguageModel, tmp_path: Path, header: dict[str, str], words: str
) -> None:
    _, path = made(model, "grun", tmp_path)
    with pytest.raises(ModelError, match=words):
        open_adapter(model, rewritten(path, header=header))


def _one_less(tensors: dict[str, torch.Tensor]) -> None:
    tensors.pop(min(tensors))


def _one_more(tensors: dict[str, torch.Tensor]) -> None:
    tensors["extra"] = torch.zeros(1)


def _no_number(tensors: dict[str, torch.Tensor]) -> None:
    tensors[max(tensors)].view(-1)[0] = torch.nan


def _other_type(tensors: dict[str, torch.Tensor]) -> None:
    tensors[max(tensors)] = tensors[max(tensors)].half()


def _other_shape(tensors: dict[str, torch.Tensor]) -> None:
    tensors[max(tensors)] = torch.zeros(7, 7)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_one_less, "does not fit"),
        (_one_more, "does not fit"),
        (_other_shape, "does not fit"),
        (_other_type, "does not fit"),
        (_no_number, "no numbers"),
    ],
)
def test_strange_tensors_are_refused(
    model: LanguageModel, tmp_path: Path, change: Any, words: str
) -> None:
    _, path = made(model, "grun", tmp_path)
    tensors = load_file(path)
    change(tensors)
    with pytest.raises(ModelError, match=words):
        open_adapter(model, rewritten(path, tensors))


@pytest.mark.parametrize("content", [b"", b"{", b"\x80\x04\x95pickle", b"\xff" * 64])
def test_what_is_no_safetensors_file_is_refused(
    model: LanguageModel, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "adapter.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="no safetensors file"):
        open_adapter(model, path)


@pytest.mark.parametrize(
    ("put", "words"),
    [
        (os.mkfifo, "is a pipe, not a file"),
        (Path.mkdir, "is a folder, not a file"),
        (lambda path: path.open("wb").truncate(MAX_BYTES + 1), "is larger than 1,024 MB"),
        (lambda path: None, "is missing"),
    ],
)
def test_what_cannot_be_an_adapter_is_not_opened(
    model: LanguageModel, tmp_path: Path, put: Callable[[Path], object], words: str
) -> None:
    put(path := tmp_path / "adapter.safetensors")
    with pytest.raises(ModelError, match=words):
        open_adapter(model, path)


def test_a_cut_file_is_refused(model: LanguageModel, tmp_path: Path) -> None:
    _, path = made(model, "grun", tmp_path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelError, match="no safetensors file"):
        open_adapter(model, path)


def test_a_file_without_our_header_is_refused(model: LanguageModel, tmp_path: Path) -> None:
    _, path = made(model, "grun", tmp_path)
    save_file(load_file(path), path)
    with pytest.raises(ModelError, match="no method"):
        open_adapter(model, path)


def test_nothing_but_the_method_stands_in_the_header(model: LanguageModel, tmp_path: Path) -> None:
    _, path = made(model, "grun", tmp_path)
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
    assert header.keys() == {"method", "options", "model"}
    assert json.loads(header["options"]) == METHODS["grun"].options().model_dump()
