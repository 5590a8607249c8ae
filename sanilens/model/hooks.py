"""The one hook layer: hooks go on, are removed whatever happens, and must have fired.

Knows modules and paths only. A hook that never fires means that a site was skipped without a
word, which would turn a measurement into a constant; it raises instead.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from torch import Tensor, nn

from sanilens.errors import ModelError

InputEdit = Callable[[Tensor], Tensor | None]
"""Gets a module's input; returns its replacement, or None to leave it alone (a capture)."""

OutputEdit = Callable[[Tensor, Tensor], Tensor]
"""Gets a module's input and output; returns the output's replacement."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What to edit or capture, by module path: inputs first, then outputs."""

    inputs: Mapping[str, InputEdit] = field(default_factory=dict)
    outputs: Mapping[str, OutputEdit] = field(default_factory=dict)

    def then(self, other: "Hooks") -> "Hooks":
        """Both: where they meet at a module, `other` sees what these made of it."""
        inputs, outputs = dict(self.inputs), dict(self.outputs)
        for path, edit in other.inputs.items():
            inputs[path] = _input_chain(inputs[path], edit) if path in inputs else edit
        for path, edit in other.outputs.items():
            outputs[path] = _output_chain(outputs[path], edit) if path in outputs else edit
        return Hooks(inputs, outputs)


NO_HOOKS = Hooks()

_locks: WeakKeyDictionary[nn.Module, threading.RLock] = WeakKeyDictionary()
_locks_guard = threading.Lock()


def model_lock(model: nn.Module) -> threading.RLock:
    """The lock of a model: hooks are mutable state on a model that sessions may share."""
    with _locks_guard:
        return _locks.setdefault(model, threading.RLock())


@contextmanager
def hooked(model: nn.Module, hooks: Hooks) -> Iterator[None]:
    """Run the block with `hooks` on `model`.

    The model's lock is held for the whole block, so two threads never see each other's hooks.

    Raises:
        ModelError: if a path is absent, or a hook never fired although the block ended well.
    """
    silent = {*hooks.inputs, *hooks.outputs}
    with model_lock(model):
        handles = []
        try:
            for path, edit in hooks.inputs.items():
                hook = _input_hook(path, edit, silent)
                handles.append(_submodule(model, path).register_forward_pre_hook(hook))
            for path, edit in hooks.outputs.items():
                hook = _output_hook(path, edit, silent)
                handles.append(_submodule(model, path).register_forward_hook(hook))
            yield
        finally:
            for handle in handles:
                handle.remove()
    if silent:
        raise ModelError(f"hook on {min(silent)!r} never fired: the forward pass does not use it.")


def _input_chain(first: InputEdit, second: InputEdit) -> InputEdit:
    def both(x: Tensor) -> Tensor | None:
        made = first(x)
        replaced = second(x if made is None else made)
        return made if replaced is None else replaced

    return both


def _output_chain(first: OutputEdit, second: OutputEdit) -> OutputEdit:
    return lambda x, output: second(x, first(x, output))


def _input_hook(path: str, edit: InputEdit, silent: set[str]):
    def hook(_module: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
        silent.discard(path)
        replacement = edit(args[0])
        return None if replacement is None else (replacement, *args[1:])

    return hook


def _output_hook(path: str, edit: OutputEdit, silent: set[str]):
    def hook(
        _module: nn.Module, args: tuple[Tensor, ...], output: Tensor | tuple[Tensor, ...]
    ) -> Tensor | tuple[Tensor, ...]:
        silent.discard(path)
        # Attention modules, and blocks of some architectures, return more than the hidden states.
        if isinstance(output, tuple):
            return (edit(args[0], output[0]), *output[1:])
        return edit(args[0], output)

    return hook


def _submodule(model: nn.Module, path: str) -> nn.Module:
    try:
        return model.get_submodule(path)
    except AttributeError as error:
        raise ModelError(f"site {path!r} does not exist in {type(model).__name__}.") from error
