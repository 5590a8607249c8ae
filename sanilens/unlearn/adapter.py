"""Adapters: a small module beside the frozen model, trained instead of it and saved beside it.

For methods whose result is no weights of the model. Removing the adapter undoes the method.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from sanilens.atomic import write_file
from sanilens.errors import ModelError
from sanilens.model.hooks import Hooks

_NAME = "sanilens_adapter"
_MISFIT = "{} does not fit: it holds another adapter, or one for another model."


Gates = Callable[[], Float[Tensor, "layer batch pos"]]
"""Reads gates, layer by layer."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """A module of its own, and the hooks that connect it to the model.

    Attributes:
        module: what is trained and saved.
        hooks: what it does to the model.
        gates: how far its gates were open in the last forward pass, in [0, 1]; None if it has none.
    """

    module: nn.Module
    hooks: Hooks
    gates: Gates | None = None


def attach_(model: nn.Module, adapter: Adapter) -> None:
    """Freeze the model and attach the adapter, so that it is trained and kept in checkpoints."""
    model.requires_grad_(False)
    model.add_module(_NAME, adapter.module.requires_grad_(True))


def attached(model: nn.Module) -> nn.Module:
    """The adapter's module attached to a model, for a loss that reads it."""
    return model.get_submodule(_NAME)


def detach_(model: nn.Module) -> None:
    """Take the adapter off; the model is what it was, its weights never having changed."""
    attached(model).requires_grad_(False)
    delattr(model, _NAME)


def save_adapter(adapter: Adapter, path: Path, metadata: Mapping[str, str]) -> None:
    """Write the adapter's tensors, and in the header what they belong to."""
    tensors = {name: t.detach().contiguous() for name, t in adapter.module.state_dict().items()}
    write_file(path, lambda temporary: save_file(tensors, temporary, dict(metadata)))


def load_adapter_(adapter: Adapter, path: Path) -> None:
    """Put saved tensors into a fresh adapter of the same shape.

    Raises:
        ModelError: if the file is of another adapter, or holds what is no number.
    """
    expected = adapter.module.state_dict()
    try:
        with safe_open(path, framework="pt") as file:
            found = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - no dict
            # Before anything is read: a header can promise any size.
            if {n: tuple(t.get_shape()) for n, t in found.items()} != {
                n: tuple(t.shape) for n, t in expected.items()
            }:
                raise ModelError(_MISFIT.format(path.name))
            tensors = {name: file.get_tensor(name) for name in found}
    except (OSError, SafetensorError) as error:
        raise ModelError(_MISFIT.format(path.name)) from error
    for name, tensor in tensors.items():
        if tensor.dtype != expected[name].dtype:
            raise ModelError(_MISFIT.format(path.name))
        if not tensor.isfinite().all():
            raise ModelError(f"{path.name} holds values that are no numbers; it is damaged.")
    adapter.module.load_state_dict(tensors)
