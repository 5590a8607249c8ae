"""config.json: nonsense, and what leads elsewhere, is named before anything is built of it."""

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sanilens.errors import ModelError
from sanilens.model.folder import check_folder
from sanilens.model.language_model import load_model
from tests.conftest import ARCHITECTURES, MASKED_ARCHITECTURES, fast_first

Folders = dict[str, Path]


@pytest.fixture
def folder(tiny_folders: Folders, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_folders["llama"], tmp_path / "model")


@pytest.fixture(params=fast_first([*ARCHITECTURES, *MASKED_ARCHITECTURES]))
def any_folder(
    request: pytest.FixtureRequest, tiny_folders: Folders, masked_folders: Folders, tmp_path: Path
) -> Path:
    return shutil.copytree((tiny_folders | masked_folders)[request.param], tmp_path / "model")


def edit_config(folder: Path, fields: dict[str, Any]) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def own_key(folder: Path, *names: str) -> str:
    """That of these names which the model's family uses."""
    fields = json.loads((folder / "config.json").read_text())
    return next(name for name in names if name in fields)


SIZES = [
    ("num_hidden_layers", "n_layer", "n_layers"),
    ("num_attention_heads", "n_head", "n_heads"),
    ("hidden_size", "n_embd", "dim"),
    ("vocab_size",),
    ("max_position_embeddings", "n_positions"),
]
NONSENSE = [0, -1, None, "gelu", [1], {}, True, 0.5, 10**12, 10**30, float("nan"), float("inf")]


@pytest.mark.parametrize("names", SIZES, ids=lambda names: names[0])
@pytest.mark.parametrize("value", NONSENSE, ids=str)
def test_a_size_that_is_none_is_refused(names: tuple[str, ...], value: Any, folder: Path) -> None:
    edit_config(folder, {own_key(folder, *names): value})
    with pytest.raises(ModelError, match=r"config\.json"):
        load_model(folder)


@pytest.mark.parametrize("names", SIZES, ids=lambda names: names[0])
def test_every_family_is_bounded(names: tuple[str, ...], any_folder: Path) -> None:
    for value in (0, 10**12, "x"):
        edit_config(any_folder, {own_key(any_folder, *names): value})
        with pytest.raises(ModelError, match=r"config\.json"):
            load_model(any_folder)


def test_a_default_number_of_heads_is_not_made_up(any_folder: Path) -> None:
    path = any_folder / "config.json"
    fields = json.loads(path.read_text())
    del fields[own_key(any_folder, "num_attention_heads", "n_head", "n_heads")]
    path.write_text(json.dumps(fields))
    with pytest.raises(ModelError, match="names no number of heads"):
        load_model(any_folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rms_norm_eps", -1e-6),
        ("rms_norm_eps", 3),
        ("rms_norm_eps", "x"),
        ("attention_dropout", 1),
        ("attention_dropout", -0.1),
        ("initializer_range", 1e9),
        ("initializer_range", "x"),
        ("tie_word_embeddings", 3),
        ("hidden_act", "nothing"),
        ("hidden_act", []),
        ("rope_parameters", 3),
        ("num_labels", 10**9),
        ("num_nextn_predict_layers", 10**9),
        ("text_config", {"num_hidden_layers": 10**9}),
        ("dtype", [[1]]),
        ("dtype", "nothing"),
        ("return_dict", False),
        ("chunk_size_feed_forward", 8),
        ("get_text_config", "x"),
        ("__class__", "x"),
        ("architectures", "LlamaForCausalLM"),
        ("architectures", [3]),
        ("model_type", "nothing"),
        ("model_type", None),
        ("model_type", ["llama"]),
    ],
)
def test_a_strange_value_is_refused(key: str, value: Any, folder: Path) -> None:
    edit_config(folder, {key: value})
    with pytest.raises(ModelError, match=r"config\.json"):
        load_model(folder)


@pytest.mark.parametrize(
    "key",
    ["configuration_files", "transformers_weights", "fusion_config", "attribute_map"],
)
def test_a_key_that_leads_elsewhere_is_refused(key: str, folder: Path) -> None:
    edit_config(folder, {key: ["config.4.0.0.json"]})
    with pytest.raises(ModelError, match=f"the key {key} asks for other files"):
        load_model(folder)


@pytest.mark.parametrize("key", ["attn_implementation", "_attn_implementation"])
@pytest.mark.parametrize("within", [False, True])
def test_kernels_are_not_fetched(key: str, within: bool, folder: Path) -> None:
    fields = {key: "kernels-community/flash-attn"}
    edit_config(folder, {"text_config": fields} if within else fields)
    with pytest.raises(ModelError, match=f"the key {key} asks for"):
        load_model(folder)
    edit_config(folder, {key: "sdpa", "text_config": None})
    check_folder(folder)


QUANTISED = [
    "bitsandbytes", "gptq", "awq", "hqq", "compressed-tensors", "fp8", "fbgemm_fp8", "aqlm",
    "quanto", "eetq", "torchao", "mxfp4", "vptq", "bitnet", "higgs", "exl2",
]  # fmt: skip


@pytest.mark.parametrize("method", QUANTISED)
def test_quantised_weights_are_refused(method: str, folder: Path) -> None:
    edit_config(folder, {"quantization_config": {"quant_method": method, "bits": 4}})
    with pytest.raises(ModelError, match=f"quantised.*{method}.*remove the key"):
        load_model(folder)


@pytest.mark.parametrize("key", ["quantization", "compression_config", "quantization_config"])
@pytest.mark.parametrize("value", [{}, "x", 3, {"quant_method": 3}])
def test_a_quantised_model_however_it_says_so(key: str, value: Any, folder: Path) -> None:
    edit_config(folder, {key: value})
    with pytest.raises(ModelError, match=f"quantised.*{key}"):
        load_model(folder)


def test_no_quantisation_may_be_said(folder: Path) -> None:
    edit_config(folder, {"quantization_config": None})
    load_model(folder)


@pytest.mark.parametrize(
    ("model_type", "remedy"),
    [("llama", "remove the key auto_map"), ("my_own", "convert the model to an architecture")],
)
def test_remote_code_has_its_remedy(model_type: str, remedy: str, folder: Path) -> None:
    (folder / "evil.py").write_text("raise SystemExit('executed')")
    edit_config(folder, {"auto_map": {"AutoModelForCausalLM": "evil.M"}, "model_type": model_type})
    with pytest.raises(ModelError, match=remedy):
        load_model(folder)


@pytest.mark.parametrize(
    "named",
    ["LlamaForSequenceClassification", "LlamaForTokenClassification", "LlamaModel", "Anything"],
)
def test_a_head_that_says_no_words_is_refused(named: str, folder: Path) -> None:
    """Tied embeddings would hide that the head was never there."""
    edit_config(folder, {"architectures": [named], "tie_word_embeddings": True})
    with pytest.raises(ModelError, match=f"{named}.*says no words"):
        load_model(folder)


def test_another_family_with_the_same_weights_is_refused(folder: Path) -> None:
    edit_config(folder, {"architectures": ["MistralForCausalLM"]})
    with pytest.raises(ModelError, match="'MistralForCausalLM', but its model_type 'llama' makes"):
        load_model(folder)
    edit_config(folder, {"architectures": ["LLaMAForCausalLM"]})  # as old checkpoints spell it
    load_model(folder)
    edit_config(folder, {"architectures": None})
    load_model(folder)


def test_a_masked_model_that_reads_one_way_is_refused(
    masked_folders: Folders, tmp_path: Path
) -> None:
    folder = shutil.copytree(masked_folders["bert"], tmp_path / "bert")
    edit_config(folder, {"is_decoder": True})
    with pytest.raises(ModelError, match="is_decoder"):
        load_model(folder)


@pytest.mark.parametrize("content", ["NaN", "-Infinity", "1e999", "9" * 5000])
def test_numbers_are_finite(content: str, folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(path.read_text().rstrip().removesuffix("}") + f', "a": {content}}}')
    with pytest.raises(ModelError, match="valid JSON of finite numbers"):
        load_model(folder)


def test_a_huge_config_is_not_read(folder: Path) -> None:
    with (folder / "config.json").open("a") as handle:
        handle.write(" " * (4 * 2**20))
    with pytest.raises(ModelError, match="larger than 4 MB"):
        load_model(folder)


_BOUNDED = """
import sys
from sanilens.errors import ModelError
from sanilens.model.language_model import load_model
for source in sys.argv[1:]:
    try:
        load_model(source, device="cpu")
        print("loaded")
    except ModelError:
        print("refused")
"""


@pytest.mark.slow
def test_a_bomb_takes_neither_memory_nor_time(
    tiny_folders: Folders, masked_folders: Folders, tmp_path: Path
) -> None:
    """Sizes that pass one by one, and together describe a model of terabytes."""
    bombs = []
    for kind, folder in (tiny_folders | masked_folders).items():
        for number, names in enumerate(SIZES[:4]):
            bomb = shutil.copytree(folder, tmp_path / f"{kind}-{number}")
            edit_config(bomb, {own_key(bomb, *names): 1000 if number == 0 else 2**23})
            bombs.append(str(bomb))
    done = subprocess.run(
        [sys.executable, "-c", _BOUNDED, *bombs],
        capture_output=True, text=True, timeout=100,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (3 * 2**30, 3 * 2**30)),
    )  # fmt: skip
    assert done.stdout.split() == ["refused"] * len(bombs), done.stderr[-2000:]
