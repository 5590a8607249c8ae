"""Loading: five architectures, and every kind of folder that must be refused in one sentence."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from sanilens.errors import ModelError
from sanilens.model.language_model import LanguageModel, load_model


def test_loads_the_model_exactly_as_saved(any_model: LanguageModel) -> None:
    plain = AutoModelForCausalLM.from_pretrained(any_model.path, dtype=torch.float32).eval()
    ids = torch.arange(20).view(2, 10)
    with torch.inference_mode():
        assert torch.equal(any_model.module(ids).logits, plain(ids).logits)
    assert any_model.sites.n_layers == 3
    assert any_model.sites.d_mlp == 48


def test_the_fingerprint_is_of_the_content(tiny_folders: dict[str, Path], tmp_path: Path) -> None:
    copied = shutil.copytree(tiny_folders["gpt2"], tmp_path / "other-name")
    assert load_model(copied).fingerprint == load_model(tiny_folders["gpt2"]).fingerprint
    assert load_model(copied).fingerprint != load_model(tiny_folders["llama"]).fingerprint


@pytest.fixture
def folder(tiny_folders: dict[str, Path], tmp_path: Path) -> Path:
    """A folder of one's own to damage."""
    return shutil.copytree(tiny_folders["gpt2"], tmp_path / "model")


def edit_config(folder: Path, **fields: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_refuses_pickled_weights(folder: Path) -> None:
    weights = folder / "model.safetensors"
    torch.save({}, folder / "pytorch_model.bin")
    weights.unlink()
    with pytest.raises(ModelError, match=r"no \*\.safetensors.*save_pretrained"):
        load_model(folder)


def test_refuses_remote_code(folder: Path) -> None:
    (folder / "evil.py").write_text("raise SystemExit('executed')")
    edit_config(folder, auto_map={"AutoModelForCausalLM": "evil.Model"})
    with pytest.raises(ModelError, match="auto_map"):
        load_model(folder)


def test_refuses_an_unmerged_adapter(folder: Path) -> None:
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match="Merge it first"):
        load_model(folder)


@pytest.mark.parametrize("content", ["{", "[]", '"x"', "[" * 100_000])
def test_refuses_a_malformed_config(folder: Path, content: str) -> None:
    (folder / "config.json").write_text(content)
    with pytest.raises(ModelError, match=r"config\.json"):
        load_model(folder)


def test_refuses_damaged_weights(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelError, match="is damaged"):
        load_model(folder)


def test_refuses_weights_of_another_shape(folder: Path) -> None:
    edit_config(folder, n_embd=64)
    with pytest.raises(ModelError, match="do not fit"):
        load_model(folder)


def test_refuses_missing_layers(folder: Path) -> None:
    edit_config(folder, n_layer=4)
    with pytest.raises(ModelError, match="weights are missing"):
        load_model(folder)


def test_refuses_a_folder_without_tokenizer(folder: Path) -> None:
    for path in folder.glob("tokenizer*"):
        path.unlink()
    with pytest.raises(ModelError, match="tokenizer"):
        load_model(folder)


def test_refuses_a_mixture_of_experts(tmp_path: Path) -> None:
    import transformers

    from tests.conftest import make_tokenizer

    config = transformers.MixtralConfig(
        vocab_size=300, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, num_local_experts=2,
    )  # fmt: skip
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    make_tokenizer().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="dense"):
        load_model(tmp_path)


def test_a_file_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(ModelError, match="is a file"):
        load_model(tmp_path / "model.safetensors")


def test_a_copy_is_found_under_no_name_of_the_original(any_model: LanguageModel) -> None:
    first, second = any_model.copied(), any_model.copied()
    assert len({any_model.fingerprint, first.fingerprint, second.fingerprint}) == 3
    assert len(first.fingerprint) == 64
