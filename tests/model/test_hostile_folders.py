"""Thousands of damaged folders: each is refused in one message, or is a model that answers."""

import json
import multiprocessing
import random
import resource
import shutil
import signal
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sanilens.errors import ModelError
from sanilens.model.language_model import load_model

Mutation = Callable[[random.Random, Path], None]

VALUES: list[Any] = [
    0, -1, 2, 255, 2**31, 10**12, 10**30, 0.5, 1e-30, 1e308, float("nan"), float("inf"), None,
    True, "", "gelu", "float8_e4m3fn", "../x", [], [[1]], ["x"], {}, {"rope_type": "yarn"},
    "a" * 5000, [0] * 1000,
]  # fmt: skip
KEYS = (
    "rope_scaling rope_parameters layer_types head_dim sliding_window num_labels id2label dtype "
    "torch_dtype return_dict use_cache is_encoder_decoder text_config sub_configs model_type "
    "architectures quantization_config tie_word_embeddings num_hidden_layers problem_type"
).split()


def configuration(rng: random.Random, folder: Path) -> None:
    path = folder / "config.json"
    fields = json.loads(path.read_text())
    fields[rng.choice([*fields, *KEYS])] = rng.choice(VALUES)
    path.write_text(json.dumps(fields))


def header(rng: random.Random, folder: Path) -> None:
    path = folder / "model.safetensors"
    content = path.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    fields, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    name = rng.choice([key for key in fields if key != "__metadata__"])
    match rng.randrange(4):
        case 0:
            fields[name][rng.choice(["dtype", "shape", "data_offsets"])] = rng.choice(
                [*VALUES[:7], "I8", "F8_E5M2", "BF16", [0], [2**40], [0, 2**63], [8, 0]]
            )
        case 1:
            fields[rng.choice(["score.weight", "", "x" * 3000])] = fields.pop(name)
        case 2:
            fields[name] = rng.choice(VALUES)
        case _:
            fields["extra"] = fields[name]
    text = json.dumps(fields).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def numbers(rng: random.Random, folder: Path) -> None:
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    for _ in range(rng.choice([1, 20, 1000])):
        place = rng.randrange(len(content) // 2, len(content) - 4)
        content[place : place + 4] = rng.choice(
            [b"\0\0\xc0\x7f", b"\0\0\x80\xff", rng.randbytes(4)]
        )
    path.write_bytes(content)


def bytes_anywhere(rng: random.Random, folder: Path) -> None:
    names = ["config.json", "model.safetensors", "generation_config.json"]  # not all have the last
    path = folder / rng.choice([name for name in names if (folder / name).exists()])
    content = bytearray(path.read_bytes())
    for _ in range(rng.choice([1, 5, 50])):
        content[rng.randrange(min(len(content), 4000))] = rng.randrange(256)
    path.write_bytes(content[: rng.choice([len(content), rng.randrange(len(content))])])


def outcome(seed: int, mutation: Mutation, source: Path, folder: Path) -> str:
    """`refused`, `answers`, or what nobody may see."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)
    mutation(random.Random(seed), folder)
    try:
        model = load_model(folder, device="cpu")
    except ModelError as error:
        return "a path" if str(folder.parent) in str(error) else "refused"
    with torch.inference_mode():
        logits = model.module(input_ids=torch.arange(6)[None]).logits
    return "answers" if bool(logits.isfinite().all()) else "nonsense"


def batch(seeds: range, mutation: Mutation, source: Path, folder: Path, found: Any) -> None:
    """In a process of its own: a few GB beyond what it has, twenty seconds each."""
    resource.setrlimit(resource.RLIMIT_DATA, (6 * 2**30, 6 * 2**30))
    for seed in seeds:
        signal.alarm(20)
        try:
            found.put((seed, outcome(seed, mutation, source, folder)))
        except BaseException as error:
            found.put((seed, repr(error)))


@pytest.mark.slow
@pytest.mark.parametrize("mutation", [configuration, header, numbers, bytes_anywhere])
@pytest.mark.parametrize("kind", ["gpt2", "llama", "gemma2", "bert", "roberta"])
def test_every_damaged_folder_is_refused_or_answers(
    mutation: Mutation,
    kind: str,
    tiny_folders: dict[str, Path],
    masked_folders: dict[str, Path],
    tmp_path: Path,
) -> None:
    seeds = range(40)
    fork = multiprocessing.get_context("fork")
    found = fork.Queue()
    source = (tiny_folders | masked_folders)[kind]
    process = fork.Process(target=batch, args=(seeds, mutation, source, tmp_path / "m", found))
    process.start()
    outcomes = dict(found.get(timeout=60) for _ in seeds)
    process.join()
    assert process.exitcode == 0
    wrong = {seed: each for seed, each in outcomes.items() if each not in ("refused", "answers")}
    assert not wrong
    assert "refused" in outcomes.values()
