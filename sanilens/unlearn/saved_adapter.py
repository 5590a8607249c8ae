"""An adapter as a file in a run folder: saved, and checked before it is opened again."""

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError
from safetensors import SafetensorError, safe_open

from sanilens.errors import ModelError
from sanilens.files import open_file
from sanilens.model.folder import why_another
from sanilens.model.language_model import LanguageModel
from sanilens.unlearn.adapter import Adapter, load_adapter_, save_adapter
from sanilens.unlearn.methods import METHODS, Options

MAX_BYTES = 2**30

_MADE_BY_US = "Take the adapter.safetensors of a run folder."


WORDS = "suppression: the weights still hold it; removing the adapter restores it"
"""What every place that offers an adapter says of it."""


def keep_adapter(adapter: Adapter, path: Path, method: str, options: Options, model: str) -> None:
    """Write an adapter for `open_adapter`.

    Args:
        adapter: what was trained.
        path: the file.
        method: its name.
        options: the method's.
        model: fingerprint of the model that it was trained beside.
    """
    header = {"method": method, "options": options.model_dump_json(), "model": model}
    save_adapter(adapter, path, header)


def open_adapter(model: LanguageModel, path: Path) -> Adapter:
    """Rebuild the adapter in a file for the model that it belongs to.

    Raises:
        ModelError: if the file is no adapter, is damaged, or belongs to another model.
    """
    header = _header(path)
    name, module = header.get("method", ""), header.get("model", "")
    method = METHODS.get(name)
    if method is None or method.adapter is None:
        raise ModelError(f"{path.name} is of no method that trains an adapter. {_MADE_BY_US}")
    if module != model.fingerprint:
        raise ModelError(
            f"{path.name} was trained beside another model than {model.name}, and would do "
            f"anything to this one: {why_another(model.path, module)}. Open it with the model "
            "folder of its own run, or run its plan again."
        )
    try:
        options = method.options.model_validate(json.loads(header.get("options", "")))
    except (ValueError, RecursionError, ValidationError):
        raise ModelError(f"{path.name}: its options are damaged. {_MADE_BY_US}") from None
    adapter = method.adapter(model, options, 0)
    load_adapter_(adapter, path)
    adapter.module.requires_grad_(False)
    return adapter


def _header(path: Path) -> Mapping[str, str]:
    try:
        # safe_open takes a path alone, and waits for a pipe.
        open_file(path, ModelError, remedy=_MADE_BY_US, most=MAX_BYTES).close()
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}
    except (OSError, SafetensorError, ValueError) as error:
        raise ModelError(f"{path.name} is no safetensors file. {_MADE_BY_US}") from error
