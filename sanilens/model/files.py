"""The files of a model's folder, looked at before a library opens them: its own, regular, whole.

A folder may come from anybody: a link or an index can lead out of it, and a checkout without its
large files holds pointers instead. What can stand in a file's place, `sanilens.files` refuses.
"""

from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import Any

from sanilens.errors import ModelError
from sanilens.files import open_file, parse_json
from sanilens.model.hub import in_cache

MAX_ENTRIES = 10_000
MAX_JSON_BYTES = 4 * 2**20
_LFS = b"version https://git-lfs"
_REMEDY = "Copy the model's folder again, whole."


def check_entries(folder: Path) -> None:
    """Refuse a folder in which a name stands for anything but a file or a folder of its own.

    Raises:
        ModelError: naming the first such entry.
    """
    try:
        entries = list(islice(folder.iterdir(), MAX_ENTRIES + 1))
    except OSError as error:
        raise ModelError(f"{folder.name} cannot be read ({type(error).__name__}).") from error
    if len(entries) > MAX_ENTRIES:
        raise ModelError(
            f"{folder.name}: more than {MAX_ENTRIES} files. Give the model's own folder."
        )
    for path in entries:
        if path.suffix or not path.is_dir():
            own_file(folder, path.name)


def own_file(folder: Path, name: str) -> Path:
    """A regular file that lies in `folder`, or in a folder of it; never a pointer to one.

    Raises:
        ModelError: saying what stands there instead.
    """
    _open(folder, name).close()
    return folder / name


def _open(folder: Path, name: str, most: int | None = None) -> BufferedReader:
    shown, path = f"{folder.name}: {name[:80]}", folder / name
    try:
        inside = path.resolve().is_relative_to(_home(folder))
    except (OSError, ValueError, RuntimeError) as error:  # no permission, no name, a ring of links
        raise ModelError(f"{shown} cannot be read ({type(error).__name__}).") from error
    if not inside:
        raise ModelError(f"{shown} leads out of the folder. Put the file itself there.")
    file = open_file(path, ModelError, remedy=_REMEDY, shown=shown, most=most)
    if file.peek(len(_LFS)).startswith(_LFS):
        file.close()
        raise ModelError(
            f"{shown} is a pointer of Git LFS, not the file. Run `git lfs pull` in the repository."
        )
    return file


def _home(folder: Path) -> Path:
    """Where a folder's files may lie: in it; the hub's cache keeps them in `blobs` and links."""
    return folder.parent.parent.resolve() if in_cache(folder) else folder.resolve()


def read_object(folder: Path, name: str) -> dict[str, Any]:
    """A JSON file that holds one object of finite numbers.

    Raises:
        ModelError: if it is missing, too large, or anything else.
    """
    try:
        with _open(folder, name, MAX_JSON_BYTES) as file:
            found = parse_json(file.read())
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{folder.name}: {name} is not valid JSON of finite numbers. Save the model again."
        ) from error
    if not isinstance(found, dict):
        raise ModelError(f"{folder.name}: {name} must hold one JSON object. Save the model again.")
    return found
