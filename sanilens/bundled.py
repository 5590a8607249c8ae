"""Where the bundled cases lie: in the clone's `assets/`, or inside the installed package.

Bundled models and corpora are named `clinic:leaking`, `confidential:documents` and so on,
everywhere a path may stand; such a name, unlike a path, means the same on every machine.
"""

from pathlib import Path

from sanilens.errors import SaniLensError

_PACKAGE = Path(__file__).parent
CASES = ("clinic", "confidential")


def assets_folder() -> Path:
    """The folder of bundled files: next to the package in a clone, inside it in a wheel."""
    inside = _PACKAGE / "assets"
    return inside if inside.is_dir() else _PACKAGE.parent / "assets"


def resolve(source: str) -> str:
    """A bundled name as a path; anything else unchanged.

    Raises:
        SaniLensError: for a bundled name that does not exist.
    """
    case, _, name = source.partition(":")
    if case not in CASES or not name:
        return source
    folder = assets_folder() / case
    for candidate in (folder / name, folder / f"{name}.jsonl", folder / f"{name}.txt"):
        if candidate.exists():
            return str(candidate)
    known = sorted(p.stem for p in folder.iterdir()) if folder.is_dir() else []
    raise SaniLensError(
        f"the bundled case {case!r} has no {name!r}; it has {', '.join(known) or 'no files yet'}. "
        "Rebuild it with `sanilens demo build`."
    )
