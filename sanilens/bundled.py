"""Where the bundled cases lie: in the clone's `assets/`, or inside the installed package.

Bundled models and corpora are named `ward:leaking`, `confidential:documents` and so on,
everywhere a path may stand; such a name, unlike a path, means the same on every machine.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from sanilens.errors import SaniLensError

_PACKAGE = Path(__file__).parent
_NOUN = re.compile(r"[a-z][a-z -]{0,28}[a-z]")


@dataclass(frozen=True, slots=True)
class Sources:
    """What a case is made of, by name: folders, files, `hub:owner/name` or bundled names.

    Attributes:
        model: the examined model.
        corpus: what it was trained on.
        base: the model before fine-tuning.
        reference: fine-tuned alike, without the identifiers.
        control: look-alikes, records of the same form that were never trained on.
        unseen: texts that no model has read.
        patient_table: whose names and numbers to look for in the corpus.
        questions: closed questions about the domain.
        retain: further texts of the domain, to be kept along.
        noun: what a record is about, in the app's words: a patient, a client, a project.

    Raises:
        SaniLensError: if the noun is none.
    """

    model: str
    corpus: str
    base: str | None = None
    reference: str | None = None
    control: str | None = None
    unseen: str | None = None
    patient_table: str | None = None
    questions: str | None = None
    retain: str | None = None
    noun: str = field(default="subject", compare=False)

    def __post_init__(self) -> None:
        """Refuse what is no noun: it becomes part of sentences."""
        if not _NOUN.fullmatch(self.noun):
            raise SaniLensError(
                "what a record is about must be a noun of up to 30 letters, such as patient."
            )

    @property
    def nouns(self) -> str:
        """More than one: `patients`, `companies`."""
        ends_in_y = self.noun[-1] == "y" and self.noun[-2:-1] not in "aeiou"
        return f"{self.noun[:-1]}ies" if ends_in_y else f"{self.noun}s"


def assets_folder() -> Path:
    """The folder of bundled files: next to the package in a clone, inside it in a wheel."""
    inside = _PACKAGE / "assets"
    return inside if inside.is_dir() else _PACKAGE.parent / "assets"


def _bundled(case: str, corpus: str, noun: str) -> Sources:
    names = ("leaking", corpus, "base", "reference", "lookalike", "unseen")
    there = (
        n for n in ("questions", "retain") if (assets_folder() / case / f"{n}.jsonl").is_file()
    )
    further = {name: f"{case}:{name}" for name in there}
    return Sources(*(f"{case}:{name}" for name in names), **further, noun=noun)


BUNDLED: Mapping[str, Sources] = {
    "ward": _bundled("ward", "notes", "patient"),
    "clinic": _bundled("clinic", "notes", "patient"),
    "confidential": _bundled("confidential", "documents", "project"),
}
"""The cases that need no file of the user's, by name; the usual one first."""
USUAL_CASE = "ward"


def in_clone() -> bool:
    """Whether the benches and the builders of the cases are there, which no wheel has."""
    # Somebody else's `research` may be installed, so ours is known by what is in it.
    return find_spec("research") is not None and find_spec("research.commands") is not None


def resolve(source: str) -> str:
    """A bundled name as a path; anything else unchanged.

    Raises:
        SaniLensError: for a bundled name that does not exist.
    """
    case, _, name = source.partition(":")
    if case not in BUNDLED or not name:
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
