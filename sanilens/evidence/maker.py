"""Which state of the code wrote some evidence: a version number alone does not say.

Two states under the same number may word a sentence or write a format otherwise. What differs
between files of the same maker was changed; between those of two makers it may be wording.
"""

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sanilens import __version__

_DRAWN_BY = {".py", ".j2", ".css", ".js", ".yaml"}
# They show evidence and decide nothing of it.
_FRONT = ("ui", "cli")
# Libraries that write or draw a format: another version of them may put a field elsewhere.
_LIBRARIES = (
    "cyclonedx-python-lib", "spdx-python-model", "in-toto-attestation", "huggingface-hub", "plotly",
    "jinja2", "pydantic",
)  # fmt: skip


@cache
def code_digest() -> str:
    """SHA-256 over the sources that evidence is drawn by, and the versions of what writes it."""
    package = Path(__file__).parents[1]
    found = hashlib.sha256(b"sanilens code 1\n")
    for path in sorted(package.rglob("*")):
        inside = path.relative_to(package)
        if path.suffix in _DRAWN_BY and inside.parts[0] not in _FRONT:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            found.update(f"{inside.as_posix()}\0{content}\n".encode())
    for library in _LIBRARIES:
        found.update(f"{library}\0{_version(library)}\n".encode())
    return found.hexdigest()


def same_maker(made_with: str, code: str) -> bool:
    """Whether what is running would write the same."""
    return made_with == __version__ and code == code_digest()


def named(made_with: str, code: str) -> str:
    """A maker in words: `0.1.0, code 3fa9c1d2`."""
    return f"{made_with[:40]}, code {code[:8] or 'not noted'}"


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""
