"""Checkpoints of a repair: weights and AdamW's moments, as safetensors, whole or absent.

torch's own optimiser checkpoints are pickles; these hold tensors and one JSON header only.
"""

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from sanilens.atomic import write_file
from sanilens.errors import RunError
from sanilens.unlearn.training import TrainingState


def save_checkpoint(path: Path, model: nn.Module, state: TrainingState) -> None:
    """Write trained weights and optimiser state atomically."""
    tensors = {f"weight.{n}": p.detach() for n, p in model.named_parameters() if p.requires_grad}
    for index, moments in state.optimizer["state"].items():
        tensors |= {f"moment.{index}.{name}": value for name, value in moments.items()}
    copied = {name: tensor.contiguous().clone() for name, tensor in tensors.items()}
    metadata = {"steps_done": str(state.steps_done)}
    write_file(path, lambda temporary: save_file(copied, temporary, metadata))


def load_checkpoint_(path: Path, model: nn.Module, learning_rate: float) -> TrainingState:
    """Put a checkpoint's weights into `model` and return the state to resume from.

    Its hash is the caller's to check (runs/integrity.py).

    Raises:
        RunError: if the checkpoint does not fit the model.
    """
    trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
    moments: dict[int, dict[str, Tensor]] = {}
    weights: dict[str, Tensor] = {}
    with safe_open(path, framework="pt", device=str(next(model.parameters()).device)) as file:
        steps = int(file.metadata()["steps_done"])
        for key in file.keys():  # noqa: SIM118 - not a dict
            kind, rest = key.split(".", 1)
            if kind == "weight":
                weights[rest] = file.get_tensor(key)
            else:
                index, name = rest.split(".", 1)
                moments.setdefault(int(index), {})[name] = file.get_tensor(key)
    shapes = {name: tensor.shape for name, tensor in trained.items()}
    if {name: tensor.shape for name, tensor in weights.items()} != shapes:
        raise RunError(f"{path.name} is of another plan or model. Start the run in a new folder.")
    with torch.no_grad():
        for name, parameter in trained.items():
            parameter.copy_(weights[name])
    # The groups' other fields are AdamW's defaults, which `train_` sets again before each step.
    template = torch.optim.AdamW(trained.values(), lr=learning_rate, weight_decay=0.0).state_dict()
    return TrainingState(steps, {"state": moments, "param_groups": template["param_groups"]})
