"""The one hook layer: hooks are removed whatever happens, and must have fired.

Knows modules and paths only. An edit always gets (batch, pos, width), even where a model runs its
MLP on one long row of tokens (OPT). A hook that never fires means that a site was silently skipped,
which would turn a measurement into a constant; so it raises.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
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
        """Both in turn: where they meet at a module, `other` sees what these hooks made of it."""
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
    silent, shape = {*hooks.inputs, *hooks.outputs}, _Shape()
    with model_lock(model):
        handles = []
        try:
            if silent:
                handles.append(model.register_forward_pre_hook(shape.note, with_kwargs=True))
            for path, edit in hooks.inputs.items():
                hook = _input_hook(path, edit, silent, shape)
                handles.append(_submodule(model, path).register_forward_pre_hook(hook))
            for path, edit in hooks.outputs.items():
                hook = _output_hook(path, edit, silent, shape)
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


class _Shape:
    """Batch and positions of the running pass; splits rows of tokens that a model has joined."""

    def __init__(self) -> None:
        self._of: tuple[int, int] | None = None

    def note(self, _model: nn.Module, args: tuple, kwargs: dict) -> None:
        """Take down a pass's shape as it begins."""
        given = args[0] if args else kwargs.get("input_ids", kwargs.get("inputs_embeds"))
        self._of = (given.shape[0], given.shape[1]) if isinstance(given, Tensor) else None

    def joined(self, x: Tensor) -> bool:
        """Whether these are activations of all tokens of the batch in one row."""
        own = self._of
        return (
            own is not None
            and x.dim() == 2
            and x.is_floating_point()
            and (x.shape[0] == own[0] * own[1])
        )

    def split(self, x: Tensor) -> Tensor:
        """The same as (batch, pos, width)."""
        return x.unflatten(0, self._of) if self._of and self.joined(x) else x


def _input_hook(path: str, edit: InputEdit, silent: set[str], shape: _Shape):
    def hook(_module: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
        silent.discard(path)
        replacement = edit(shape.split(args[0]))
        if replacement is not None and shape.joined(args[0]):
            replacement = replacement.flatten(0, 1)
        return None if replacement is None else (replacement, *args[1:])

    return hook


def _output_hook(path: str, edit: OutputEdit, silent: set[str], shape: _Shape):
    def edited(x: Tensor, output: Tensor) -> Tensor:
        made = edit(shape.split(x), shape.split(output))
        made = made.flatten(0, 1) if shape.joined(output) else made
        # What an edit has looked at and kept stays so: Falcon adds to its MLP's output in place.
        return made.clone() if made.data_ptr() == output.data_ptr() else made

    def hook(
        _module: nn.Module, args: tuple[Tensor, ...], output: Tensor | Sequence[Tensor]
    ) -> Tensor | Sequence[Tensor]:
        silent.discard(path)
        # Attention modules, and blocks of some architectures, return more than the hidden states.
        if isinstance(output, Tensor):
            return edited(args[0], output)
        rest = [edited(args[0], output[0]), *output[1:]]
        return rest if isinstance(output, list) else tuple(rest)

    return hook


def _submodule(model: nn.Module, path: str) -> nn.Module:
    try:
        return model.get_submodule(path)
    except AttributeError as error:
        raise ModelError(f"site {path!r} does not exist in {type(model).__name__}.") from error
