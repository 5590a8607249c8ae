"""Loading: nothing made up, nothing left out, no number that is none."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoTokenizer, GenerationConfig, PreTrainedModel

from sanilens.errors import ModelError
from sanilens.model.language_model import load_model
from tests.conftest import ARCHITECTURES, MASKED_ARCHITECTURES, fast_first

Folders = dict[str, Path]
Weights = dict[str, Tensor]


@pytest.fixture(params=fast_first([*ARCHITECTURES, *MASKED_ARCHITECTURES]))
def any_folder(
    request: pytest.FixtureRequest, tiny_folders: Folders, masked_folders: Folders, tmp_path: Path
) -> Path:
    return shutil.copytree((tiny_folders | masked_folders)[request.param], tmp_path / "model")


@pytest.fixture
def folder(tiny_folders: Folders, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_folders["llama"], tmp_path / "model")


def edit_weights(folder: Path, change: Callable[[Weights], object]) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path)
    change(weights)
    save_file(weights, path, {"format": "pt"})


def edit_config(folder: Path, **fields: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def layers(weights: Weights, number: int) -> list[str]:
    return [name for name in weights if f".{number}." in name]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 3e38])
def test_one_number_that_is_none_is_refused(value: float, any_folder: Path) -> None:
    names = list(load_file(any_folder / "model.safetensors"))
    for name in (names[0], names[len(names) // 2], names[-1]):
        edit_weights(any_folder, lambda weights, name=name: weights[name].view(-1)[-1].fill_(value))
        with pytest.raises(ModelError, match=r"[123] weights hold NaN or infinity"):
            load_model(any_folder)


def test_half_precision_that_overflowed_is_refused(any_folder: Path) -> None:
    def halve(weights: Weights) -> None:
        for name, weight in weights.items():
            weights[name] = (weight * 1e6).half() if name.endswith("weight") else weight.half()

    edit_weights(any_folder, halve)
    with pytest.raises(ModelError, match="NaN or infinity"):
        load_model(any_folder)


def test_finite_weights_that_overflow_are_refused(folder: Path) -> None:
    edit_weights(folder, lambda ws: [w.fill_(9e14) for name, w in ws.items() if "mlp" in name])
    with pytest.raises(ModelError, match="answers with NaN or infinity"):
        load_model(folder)


def test_positions_that_are_none_are_refused(folder: Path) -> None:
    edit_config(folder, rope_parameters={"rope_type": "default", "rope_theta": -1e4})
    with pytest.raises(ModelError, match=r"config\.json makes 'model\.rotary_emb\.inv_freq' NaN"):
        load_model(folder)


def test_weights_of_zero_are_refused(any_folder: Path) -> None:
    edit_weights(any_folder, lambda weights: [weight.zero_() for weight in weights.values()])
    with pytest.raises(ModelError, match="all embeddings are zero"):
        load_model(any_folder)


def test_a_model_that_says_nothing_is_refused(folder: Path) -> None:
    edit_weights(folder, lambda weights: weights["model.norm.weight"].zero_())
    with pytest.raises(ModelError, match="same score"):
        load_model(folder)


def test_layers_that_config_leaves_out_are_not_dropped(any_folder: Path) -> None:
    fields = json.loads((any_folder / "config.json").read_text())
    key = next(k for k in ("num_hidden_layers", "n_layer", "n_layers") if k in fields)
    edit_config(any_folder, **{key: 2}, layer_types=None)
    with pytest.raises(ModelError, match=r"weights have no place in \w+ as config.json describes"):
        load_model(any_folder)


def test_layers_that_the_files_lack_are_not_made_up(any_folder: Path) -> None:
    edit_weights(any_folder, lambda weights: [weights.pop(name) for name in layers(weights, 1)])
    with pytest.raises(ModelError, match="weights are missing"):
        load_model(any_folder)


def test_a_head_that_is_not_there_is_not_made_up(folder: Path) -> None:
    edit_weights(folder, lambda weights: weights.pop("lm_head.weight"))
    with pytest.raises(ModelError, match=r"1 weights are missing, 'lm_head\.weight'"):
        load_model(folder)


@pytest.mark.parametrize("name", ["score.weight", "classifier.weight", "v_head.summary.weight"])
def test_another_head_in_the_files_is_named(name: str, any_folder: Path) -> None:
    """Also beside tied embeddings, which would stand in for the language model's."""
    edit_weights(any_folder, lambda weights: weights.update({name: torch.ones(2, 32)}))
    with pytest.raises(ModelError, match=rf"{name}' first, and would be left out"):
        load_model(any_folder)


def test_what_is_beside_an_encoders_head_is_left_out(
    masked_folders: Folders, tmp_path: Path
) -> None:
    folder = shutil.copytree(masked_folders["bert"], tmp_path / "bert")
    before = load_model(folder).module.state_dict()
    beside = {
        "bert.pooler.dense.weight": torch.ones(32, 32),
        "bert.pooler.dense.bias": torch.ones(32),
    }
    beside["cls.seq_relationship.weight"] = torch.ones(2, 32)
    edit_weights(folder, lambda weights: weights.update(beside))
    after = load_model(folder).module.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)


@pytest.mark.parametrize("kind", ["gpt2", "gpt_neox"])
def test_masks_of_older_saves_are_left_out(
    kind: str, tiny_folders: Folders, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_folders[kind], tmp_path / kind)
    part = "transformer.h.0.attn" if kind == "gpt2" else "gpt_neox.layers.0.attention"
    masks = {
        f"{part}.bias": torch.ones(1, 1, 8, 8).bool(),
        f"{part}.masked_bias": torch.tensor(-1e9),
    }
    edit_weights(folder, lambda weights: weights.update(masks))
    load_model(folder)


def test_a_shape_that_differs_is_named_with_both(folder: Path) -> None:
    edit_config(folder, intermediate_size=64)
    with pytest.raises(ModelError, match=r"do not fit config\.json: '.*mlp.*' is \[.*48.*\] in"):
        load_model(folder)


def head_weight(module: PreTrainedModel) -> torch.Tensor:
    """The weight of the unembedding."""
    head = module.get_output_embeddings()
    assert head is not None
    return head.get_parameter("weight")


@pytest.mark.parametrize("kind", ["gpt2", "gemma2"])
def test_a_tied_head_is_the_folders(kind: str, tiny_folders: Folders, tmp_path: Path) -> None:
    """What the files hold is what the model answers with, whatever is said of tying."""
    folder = shutil.copytree(tiny_folders[kind], tmp_path / kind)
    tied = load_model(folder).module
    head = head_weight(tied)
    assert torch.equal(head, tied.get_input_embeddings().get_parameter("weight"))
    own = torch.randn(head.shape)
    edit_weights(folder, lambda weights: weights.update({"lm_head.weight": own}))
    assert torch.equal(head_weight(load_model(folder).module), own)


def test_tokens_added_without_resizing_are_refused(any_folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(any_folder)
    tokenizer.add_tokens([f"<x{number}>" for number in range(30)] + ["MRN"])
    tokenizer.save_pretrained(any_folder)
    with pytest.raises(ModelError, match=r"\d+ tokens for which the model has no embedding"):
        load_model(any_folder)


def test_a_special_token_beyond_the_embeddings_is_refused_where_it_is_read(
    any_folder: Path,
) -> None:
    """Gemma 3's small models have one for images: no text holds it."""
    tokenizer = AutoTokenizer.from_pretrained(any_folder)
    tokenizer.add_tokens([f"<x{number}>" for number in range(30)], special_tokens=True)
    tokenizer.save_pretrained(any_folder)
    model = load_model(any_folder)
    for copied in (model, model.copied()):
        ids = torch.tensor([copied.tokenizer("Seen <x29>")["input_ids"]])
        with torch.inference_mode(), pytest.raises(ModelError, match="no embedding"):
            copied.module(input_ids=ids)


def test_settings_for_decoding_do_not_change_what_is_said(folder: Path) -> None:
    """`generate` takes from the folder what its caller leaves open: penalties, beams, bans."""
    prompts = [[1, 2, 3], [9, 8, 7]]
    plain = load_model(folder)
    said = plain.module.generate(  # pyright: ignore
        torch.tensor(prompts), max_new_tokens=12, do_sample=False
    )
    settings = GenerationConfig(
        repetition_penalty=50.0, num_beams=3, no_repeat_ngram_size=1, suppress_tokens=[5, 6],
        eos_token_id=[0, 2], bos_token_id=0,
    )  # fmt: skip
    settings.save_pretrained(folder)
    model = load_model(folder)
    again = model.module.generate(  # pyright: ignore
        torch.tensor(prompts), max_new_tokens=12, do_sample=False, eos_token_id=0
    )
    assert torch.equal(said, again)
    assert model.module.generation_config.eos_token_id == [0, 2]
    assert model.fingerprint != plain.fingerprint


@pytest.mark.parametrize("value", ["x", [None], 0.5, {}])
def test_nonsense_for_a_tokens_id_is_refused(value: object, folder: Path) -> None:
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": value}))
    with pytest.raises(ModelError, match=r"eos_token_id|do not fit"):
        load_model(folder)


def test_messages_hold_no_path_of_the_users(any_folder: Path) -> None:
    (any_folder / "generation_config.json").write_text('{"cache_implementation": "nothing"}')
    edit_config(any_folder, hidden_act="nothing", activation_function="nothing", activation="no")
    with pytest.raises(ModelError) as caught:
        load_model(any_folder)
    assert str(any_folder.parent) not in str(caught.value)
