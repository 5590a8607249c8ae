"""Folders: what lies in them, what decides the fingerprint, and what is fetched: nothing."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from sanilens.errors import ModelError
from sanilens.model.folder import (
    check_folder,
    earlier_fingerprint,
    fingerprint_folder,
    local_folder,
    why_another,
)
from sanilens.model.language_model import load_model
from tests.conftest import ARCHITECTURES, MASKED_ARCHITECTURES


@pytest.fixture
def folder(tiny_folders: dict[str, Path], tmp_path: Path) -> Path:
    return shutil.copytree(tiny_folders["llama"], tmp_path / "model")


def shard(folder: Path, place: str = "") -> None:
    """The weights in two files, of which the second lies at `place`."""
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    parts = {
        "model-00001-of-00002.safetensors": names[::2],
        f"{place}model-00002-of-00002.safetensors": names[1::2],
    }
    for file, own in parts.items():
        (folder / file).parent.mkdir(exist_ok=True)
        save_file({name: tensors[name] for name in own}, folder / file, {"format": "pt"})
    where = {name: file for file, own in parts.items() for name in own}
    write_index(folder, where)


def write_index(folder: Path, where: object) -> None:
    index = {"metadata": {"total_size": 1}, "weight_map": where}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


@pytest.mark.parametrize("kind", [*ARCHITECTURES, *MASKED_ARCHITECTURES])
def test_a_sound_folder_passes(
    kind: str, tiny_folders: dict[str, Path], masked_folders: dict[str, Path]
) -> None:
    check_folder((tiny_folders | masked_folders)[kind])


@pytest.mark.parametrize("place", ["", "parts/"])
def test_shards_are_the_model(place: str, folder: Path, tiny_folders: dict[str, Path]) -> None:
    shard(folder, place)
    sharded, whole = load_model(folder), load_model(tiny_folders["llama"])
    ours, theirs = sharded.module.state_dict(), whole.module.state_dict()
    assert all(bool((ours[name] == theirs[name]).all()) for name in theirs)
    assert sharded.fingerprint != whole.fingerprint


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "added_tokens.json", "pipe"])
def test_a_pipe_is_never_opened(name: str, folder: Path) -> None:
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    with pytest.raises(ModelError, match=f"{name} is a pipe, not a file"):
        load_model(folder)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("target", ["/dev/zero", "/etc/hostname", "../secret.json"])
def test_a_link_out_of_the_folder_is_refused(name: str, target: str, folder: Path) -> None:
    (folder.parent / "secret.json").write_text("{}")
    (folder / name).unlink()
    (folder / name).symlink_to(target)
    with pytest.raises(ModelError, match=f"{name} leads out of the folder"):
        load_model(folder)


@pytest.mark.parametrize("target", ["nowhere", "config.json"])
def test_a_link_to_nothing_is_refused(target: str, folder: Path) -> None:
    (folder / "config.json").unlink()
    (folder / "config.json").symlink_to(target)
    with pytest.raises(ModelError, match=r"config\.json"):
        load_model(folder)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_folder_in_place_of_a_file_is_refused(name: str, folder: Path) -> None:
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(ModelError, match=f"{name} is a folder, not a file"):
        load_model(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_pointer_of_git_lfs_has_its_remedy(name: str, folder: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "a" * 64 + "\nsize 9\n"
    (folder / name).write_text(pointer)
    with pytest.raises(ModelError, match=rf"{name} is a pointer.*git lfs pull"):
        load_model(folder)


def test_a_snapshot_of_the_hubs_cache_is_its_own(folder: Path, tmp_path: Path) -> None:
    """There the files are links to the cache's blobs, and the folder is named after a commit."""
    cache = tmp_path / "models--owner--some-model"
    snapshot = cache / "snapshots" / "0123abcd"
    snapshot.mkdir(parents=True)
    (cache / "blobs").mkdir()
    for file in folder.iterdir():
        shutil.copy(file, cache / "blobs" / file.name)
        (snapshot / file.name).symlink_to(Path("../../blobs") / file.name)
    opened = load_model(snapshot)
    assert (opened.name, opened.fingerprint) == ("some-model", fingerprint_folder(folder))


def stale_whole(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    shard(folder)
    (folder / "model.safetensors").write_bytes(whole)


def shard_left_over(folder: Path) -> None:
    shard(folder)
    shutil.copy(
        folder / "model-00001-of-00002.safetensors", folder / "model-00003-of-00003.safetensors"
    )


def no_index(folder: Path) -> None:
    shard(folder)
    (folder / "model.safetensors.index.json").unlink()


def whole_and_shards_without_index(folder: Path) -> None:
    stale_whole(folder)
    (folder / "model.safetensors.index.json").unlink()


def twice(folder: Path) -> None:
    shard(folder)
    first = folder / "model-00001-of-00002.safetensors"
    second = folder / "model-00002-of-00002.safetensors"
    save_file(load_file(first) | load_file(second), second, {"format": "pt"})


def another_index(folder: Path) -> None:
    shard(folder)
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    write_index(folder, index["weight_map"] | {"h.9.w": "model-00001-of-00002.safetensors"})


def shard_missing(folder: Path) -> None:
    shard(folder)
    (folder / "model-00002-of-00002.safetensors").unlink()


def distributed(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "shard-00001-model-00001-of-00001.safetensors")


def gguf(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.q4.gguf").write_bytes(b"GGUF")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (stale_whole, "two sets of weights.*delete it"),
        (whole_and_shards_without_index, "two sets of weights"),
        (shard_left_over, "does not name model-00003"),
        (no_index, "shards without"),
        (twice, "which another file holds too"),
        (another_index, "'h.9.w', which no file holds"),
        (shard_missing, "model-00002-of-00002.safetensors is missing"),
        (distributed, "distributed checkpoint"),
        (gguf, "GGUF"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_one_set_of_weights(damage: Callable[[Path], None], message: str, folder: Path) -> None:
    damage(folder)
    with pytest.raises(ModelError, match=message):
        load_model(folder)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("../other/model.safetensors", "leads out of the folder"),
        ("/etc/x.safetensors", r"is missing|leads out"),
        ("x" * 5000 + ".safetensors", "cannot be read"),
        ("\0.safetensors", "is missing|cannot be read"),
        ("pytorch_model.bin", r"not \*\.safetensors"),
        (3, "names no files"),
        (None, "names no files"),
    ],
)
def test_an_index_names_files_of_the_folder(
    file: object, message: str, folder: Path, tiny_folders: dict[str, Path]
) -> None:
    shutil.copytree(tiny_folders["gpt2"], folder.parent / "other")
    (folder / "model.safetensors").unlink()
    write_index(folder, {"lm_head.weight": file})
    with pytest.raises(ModelError, match=message):
        load_model(folder)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"weight_map": {}}', "[" * 10_000])
def test_a_damaged_index_is_named(content: str, folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(content)
    with pytest.raises(ModelError, match=r"model\.safetensors\.index\.json"):
        load_model(folder)


DECIDES = [
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
    "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "tokenizer.model",
    "model.safetensors.index.json", "model-00001-of-00002.safetensors",
    "parts/model-00002-of-00002.safetensors",
]  # fmt: skip


def test_the_fingerprint_covers_all_that_decides_the_answer(folder: Path) -> None:
    shard(folder, "parts/")
    seen = {fingerprint_folder(folder)}
    for name in DECIDES:
        before = (folder / name).read_bytes() if (folder / name).exists() else b""
        (folder / name).write_bytes(before + b" ")
        found = fingerprint_folder(folder)
        assert found not in seen, name
        seen.add(found)


def test_the_fingerprint_leaves_out_what_nobody_reads(folder: Path) -> None:
    before = fingerprint_folder(folder)
    for name in ("README.md", "trainer_state.json", "evil.py", "consolidated.safetensors"):
        (folder / name).write_text("x")
    (folder / "checkpoint-1").mkdir()
    assert fingerprint_folder(folder) == before


def test_a_name_is_part_of_the_fingerprint(folder: Path) -> None:
    (folder / "vocab.json").write_text("x")
    before = fingerprint_folder(folder)
    (folder / "vocab.json").rename(folder / "vocab.txt")
    assert fingerprint_folder(folder) != before


def test_an_earlier_fingerprint_is_recognised(folder: Path) -> None:
    earlier = earlier_fingerprint(folder)
    assert earlier != fingerprint_folder(folder)
    assert "earlier version of SaniLens" in why_another(folder, earlier)
    (folder / "config.json").write_text("{}")
    assert "others than those" in why_another(folder, earlier)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("no/such/folder/here", "neither a folder"),
        ("../nothing", "neither a folder"),
        ("a b", "neither a folder"),
        ("", "is a file|neither a folder|config.json is missing"),
        ("\0", "neither a folder"),
        ("x" * 5000, "neither a folder"),
        ("openai-community/gpt2", "write hub:openai-community/gpt2"),
        ("models/gpt2", "write hub:models/gpt2"),
        ("hub:", "is no hub id"),
        ("hub:../x", "is no hub id"),
        ("hub:a/b/c", "is no hub id"),
        ("hub:owner/name", "nothing is fetched.*hf download owner/name"),
    ],
)
def test_says_what_a_wrong_source_is(
    source: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=message):
        load_model(source)


def test_a_folder_that_looks_like_a_hub_id_is_a_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent.parent)
    name = f"{folder.parent.name}/{folder.name}"
    assert local_folder(name) == folder.resolve()


def test_only_what_was_typed_is_asked_of_the_hub(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    asked: list[tuple[str, bool]] = []

    def snapshot_download(repository: str, *, local_files_only: bool, **_: object) -> str:
        asked.append((repository, local_files_only))
        return str(folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    local_folder("hub:owner/name")
    local_folder("hub:owner/name", fetch=True)
    with pytest.raises(ModelError):
        local_folder("owner/name", fetch=True)
    assert asked == [("owner/name", True), ("owner/name", False)]


_OFFLINE = """
import socket, sys
def refuse(*_args, **_more):
    print("CONNECTED"); raise OSError("no network here")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
from sanilens.errors import ModelError
from sanilens.model.language_model import load_model
for source in sys.argv[1:]:
    try:
        print(load_model(source, device="cpu").kind)
    except ModelError:
        print("refused")
"""


@pytest.mark.slow
def test_loading_never_reaches_for_the_network(
    tiny_folders: dict[str, Path], masked_folders: dict[str, Path], tmp_path: Path
) -> None:
    """With the hub's offline switch off, as on a user's machine."""
    sources = [tiny_folders["llama"], masked_folders["bert"], "hub:owner/name", "owner/name"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", _OFFLINE, *map(str, sources)],
        capture_output=True, text=True, env=environment, timeout=120,
    )  # fmt: skip
    assert done.stdout.split() == ["causal", "masked", "refused", "refused"], done.stderr
