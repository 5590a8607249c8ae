"""SHA-256 of every file of a folder, in a file beside them; one changed byte is found and named.

`digests.json` is canonical and holds a hash of itself, so that a change of its own bytes is not
taken for a change of the file that it names. Whoever rewrites all of it is stopped by a signature
alone.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sanilens.atomic import write_file
from sanilens.errors import IntegrityError
from sanilens.evidence.evidence import canonical_json
from sanilens.files import a_kind_of, open_file
from sanilens.runs.events import Files
from sanilens.runs.integrity import Problem

SEAL = "digests.json"
SIGNATURE = "model.sig"
_LARGEST_SEAL, _MOST_FILES = 64 * 2**20, 100_000
_OWN = frozenset({SEAL, SIGNATURE})


class _Seal(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    files: Annotated[Files, Field(max_length=_MOST_FILES)]
    folder: str
    sha256: str

    def canonical(self) -> bytes:
        return canonical_json(self.model_dump())


def file_digest(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        IntegrityError: if it is no plain file.
    """
    with open_file(path, IntegrityError, links=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_digests(folder: Path, left_out: frozenset[str] = _OWN) -> dict[str, str]:
    """SHA-256 of every file below a folder, by path; `left_out` at its top are not counted.

    Raises:
        IntegrityError: if a link, pipe or device stands among them, or there are too many.
    """
    found: dict[str, str] = {}
    for name, what in _standing(folder):
        if name in left_out:
            continue
        if what is not None:
            raise IntegrityError(f"{folder.name}: {_printable(name)} is {what}, not a file.")
        found[name] = file_digest(folder / name)
    return dict(sorted(found.items()))


def folder_digest(digests: Mapping[str, str]) -> str:
    """A folder's digest as OpenSSF model signing counts it.

    SHA-256 of the files' raw digests in the order of their paths, part by part.
    """
    ordered = sorted(digests, key=PurePosixPath)
    return hashlib.sha256(b"".join(bytes.fromhex(digests[name]) for name in ordered)).hexdigest()


def seal(folder: Path) -> None:
    """Write `digests.json` over all that lies in a folder."""
    files = file_digests(folder)
    whole = folder_digest(files)
    made = _Seal(files=files, folder=whole, sha256=_own_hash(files, whole))
    write_file(folder / SEAL, lambda path: _fill(path, made.canonical()))


def unsealed(folder: Path) -> list[Problem]:
    """Every file of a folder that is not what its `digests.json` says.

    Raises:
        IntegrityError: if there is no such file, or it is not as it was written.
    """
    said = read_seal(folder)
    standing = dict(_standing(folder))
    found: list[Problem] = []
    for name, sha256 in said.items():
        if name not in standing:
            found.append(Problem(name, "is missing"))
        elif (what := standing[name]) is not None:
            found.append(Problem(name, f"is {what}, not a file"))
        elif file_digest(folder / name) != sha256:
            found.append(Problem(name, "has changed"))
    extra = sorted(standing.keys() - said.keys() - _OWN)
    return found + [Problem(name, "is extra: it was not there when this was written")
                    for name in extra]  # fmt: skip


def read_seal(folder: Path) -> dict[str, str]:
    """SHA-256 by path, as `digests.json` has them.

    Raises:
        IntegrityError: if it is missing, or not as it was written.
    """
    with open_file(folder / SEAL, IntegrityError, most=_LARGEST_SEAL, links=False) as file:
        content = file.read()
    try:
        said = _Seal.model_validate_json(content)
    except ValidationError as error:
        raise IntegrityError(f"{SEAL} has changed: it cannot be read.") from error
    if said.canonical() != content or said.sha256 != _own_hash(said.files, said.folder):
        raise IntegrityError(f"{SEAL} has changed.")
    return dict(said.files)


def _own_hash(files: Mapping[str, str], folder: str) -> str:
    return hashlib.sha256(canonical_json({"files": dict(files), "folder": folder})).hexdigest()


def _standing(folder: Path) -> Iterator[tuple[str, str | None]]:
    """Files below a folder by path, and what stands there if it is none; follows no link."""
    folders, seen = [folder], 0
    while folders:
        try:
            entries = sorted(os.scandir(folders.pop()), key=lambda entry: entry.name)
        except OSError as error:
            raise IntegrityError(f"{folder.name} cannot be read ({error.strerror}).") from error
        for entry in entries:
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                folders.append(path)
                continue
            if (seen := seen + 1) > _MOST_FILES:
                raise IntegrityError(f"{folder.name} holds more than {_MOST_FILES:,} files.")
            plain = entry.is_file(follow_symlinks=False)
            yield path.relative_to(folder).as_posix(), None if plain else a_kind_of(path)


def _printable(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name)[:200]


def _fill(path: Path, content: bytes) -> None:
    path.write_bytes(content)
