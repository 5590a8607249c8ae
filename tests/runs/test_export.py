"""The sanitised model's folder: what stands beside the weights is the user's own."""

import shutil
from pathlib import Path

from transformers import GenerationConfig

from sanilens.model.language_model import load_model
from sanilens.runs.execute import export_model
from sanilens.runs.folder import RunFolder


def test_the_settings_for_decoding_are_kept(tiny_folders: dict[str, Path], tmp_path: Path) -> None:
    """Loading leaves them out of what is measured; the user's model is to have them."""
    folder = shutil.copytree(tiny_folders["gpt_neox"], tmp_path / "model")
    GenerationConfig(repetition_penalty=1.05, eos_token_id=0).save_pretrained(folder)
    run = RunFolder(tmp_path / "run")
    run.root.mkdir()
    export_model(load_model(folder, device="cpu"), run)
    exported = run.model / "generation_config.json"
    assert exported.read_bytes() == (folder / "generation_config.json").read_bytes()
    load_model(run.model, device="cpu")
