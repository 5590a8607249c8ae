"""The weights that a run wrote, and whether two runs ended with the same."""

import torch
from safetensors.torch import load_file

from sanilens.runs.folder import RunFolder


def weights(run: RunFolder) -> dict[str, torch.Tensor]:
    return load_file(run.model / "model.safetensors")


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)
