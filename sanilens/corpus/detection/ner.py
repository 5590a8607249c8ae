"""`NamePipeline`: a local model that finds names in running text.

A spaCy pipeline (a folder, or an installed package) or a Hugging Face token classifier (a folder
with safetensors weights); `ner_engines` loads them. A text on which a pipeline fails is an error,
never a text without names.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import regex

from sanilens.corpus.detection.ner_engines import (
    LABELS,
    Finder,
    Found,
    classifier_engine,
    is_spacy,
    spacy_engine,
)
from sanilens.errors import CorpusError

# spaCy's recogniser takes a gigabyte for 100,000 characters, and a classifier reads 512 tokens.
_WINDOW, _OVERLAP = 8_000, 200
_CLASSIFIER_WINDOW, _CLASSIFIER_OVERLAP = 800, 100
_USUAL = ("en_core_web_lg", "en_core_web_md", "en_core_web_sm")
# What models take into a value though it is none of it.
_BEFORE = regex.compile(r"^[\s\"“”'(\[,;:.\-–]+")
_AFTER = regex.compile(r"(?:['’]s|[\s\"“”')\],;:–\-]|(?<!\b\p{L})(?<!\b[JS]r)\.)+$")


@dataclass(frozen=True, slots=True)
class NamePipeline:
    """A loaded pipeline; `name` is what it is called, never a path."""

    name: str
    version: str
    _find: Finder
    _window: int = _WINDOW
    _overlap: int = _OVERLAP

    def find(self, text: str) -> Iterator[Found]:
        """(start, end, label) of persons, places and organisations; windows may repeat one.

        Raises:
            CorpusError: where the model fails.
        """
        for offset, window in _windows(text, self._window, self._overlap):
            for start, end, entity in self._find(window):
                start, end = _trimmed(window, start, end)
                # What touches a window's edge may be cut there; the next window has it whole.
                cut = (offset and start == 0) or (end == len(window) and offset + end < len(text))
                if entity in LABELS and start < end and not cut:
                    yield offset + start, offset + end, LABELS[entity]


def load_pipeline(source: str) -> NamePipeline:
    """The pipeline in a folder, or an installed spaCy package of that name.

    Raises:
        CorpusError: no such folder or package, or one that cannot be used, and why.
    """
    path = Path(source).expanduser()
    if not path.is_dir():
        if not (regex.fullmatch(r"[A-Za-z]\w{1,80}", source) and (found := _package(source))):
            raise CorpusError(
                "--ner: no such folder, and no installed spaCy pipeline of that name. Nothing is "
                "fetched: give the folder of a spaCy pipeline or of a Hugging Face token "
                "classifier, "
                "or install one, such as en_core_web_sm, with pip."
            )
        path = found
    # An unpacked package holds its pipeline in a folder of its own.
    inner = [config.parent for config in path.glob("*/config.cfg")]
    path = inner[0] if len(inner) == 1 and not is_spacy(path) else path
    if is_spacy(path):
        engine = spacy_engine(path)
        return NamePipeline(engine.name, engine.version, engine.find)
    if (path / "config.json").is_file():
        engine = classifier_engine(path)
        return NamePipeline(
            engine.name, engine.version, engine.find, _CLASSIFIER_WINDOW, _CLASSIFIER_OVERLAP
        )
    raise CorpusError(
        f"--ner: {path.name or 'the folder'} holds neither a spaCy pipeline (config.cfg and "
        "meta.json) nor a Hugging Face token classifier (config.json). Give the folder of one."
    )


def installed_pipeline() -> str | None:
    """The name of the largest of spaCy's usual English pipelines that is installed."""
    return next((name for name in _USUAL if _package(name)), None)


@functools.cache
def default_pipeline() -> NamePipeline | None:
    """The installed pipeline, loaded once; None where none is installed."""
    name = installed_pipeline()
    return load_pipeline(name) if name else None


def _package(name: str) -> Path | None:
    """The data folder of an installed spaCy package, found without importing it."""
    try:
        package = distribution(name.replace("_", "-"))
    except PackageNotFoundError:
        return None
    files = [file for file in package.files or () if file.name == "config.cfg"]
    return Path(str(package.locate_file(files[0]))).parent if files else None


def _windows(text: str, size: int, overlap: int) -> Iterator[tuple[int, str]]:
    """Pieces of at most `size` characters that overlap, cut at a blank where there is one."""
    start = 0
    while True:
        end = min(len(text), start + size)
        if end < len(text) and (blank := text.rfind(" ", end - overlap // 2, end)) > 0:
            end = blank
        yield start, text[start:end]
        if end == len(text):
            return
        back = text.find(" ", end - overlap, end)
        start = back + 1 if back >= 0 else end - overlap


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """An entity without the blanks, quotes and possessive that models put into it."""
    value = text[start:end].partition("\n")[0]
    first = found.end() if (found := _BEFORE.match(value)) else 0
    last = found.start() if (found := _AFTER.search(value)) else len(value)
    return start + first, start + max(first, last)
