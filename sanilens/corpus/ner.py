"""`NamePipeline`: a local model that finds names in running text, through presidio's engines.

A spaCy pipeline (a folder, or an installed package) or a Hugging Face token classifier (a folder
with safetensors weights). Nothing is fetched, nothing is unpickled, no code of a model's author
is run. What a pipeline fails on is an error, never a text without names.
"""

import functools
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import regex

from sanilens.errors import CorpusError

if TYPE_CHECKING:
    from presidio_analyzer import LocalRecognizer
    from presidio_analyzer.nlp_engine import NlpArtifacts, SpacyNlpEngine

Found = tuple[int, int, str]

# presidio's names of what a pipeline finds, and our labels; dates and the rest have patterns.
_LABELS: Mapping[str, str] = {
    "PERSON": "NAME",
    "LOCATION": "LOCATION",
    "ORGANIZATION": "ORGANIZATION",
}
# What model authors call them beside what presidio knows.
_ALIASES: Mapping[str, str] = {
    "FIRSTNAME": "PERSON",
    "LASTNAME": "PERSON",
    "GIVENNAME": "PERSON",
    "SURNAME": "PERSON",
    "MIDDLENAME": "PERSON",
    "NAME": "PERSON",
    "DOCTOR": "PERSON",
    "USERNAME": "PERSON",
    "CITY": "LOCATION",
    "COUNTRY": "LOCATION",
    "STATE": "LOCATION",
    "COUNTY": "LOCATION",
    "FAC": "LOCATION",
    "COMPANY": "ORGANIZATION",
    "COMPANYNAME": "ORGANIZATION",
    "VENDOR": "ORGANIZATION",
}
# spaCy's recogniser takes a gigabyte for 100,000 characters, so it is given windows.
_WINDOW, _OVERLAP = 8_000, 200
_HF_WINDOW, _HF_OVERLAP = 800, 100
# Parts of a spaCy pipeline that names need nothing of.
_UNUSED = ["tagger", "parser", "lemmatizer", "attribute_ruler", "morphologizer", "senter"]
_USUAL = ("en_core_web_lg", "en_core_web_md", "en_core_web_sm")
_EDGE = regex.compile(
    r"^[\s\"“”'(\[,;:.\-–]+|(?:['’]s|[\s\"“”')\],;:–\-]|(?<!\b\p{L})(?<!Jr|Sr)\.)+$"
)


class Finder(Protocol):
    """Gives (start, end, presidio's entity name) for a short text."""

    def __call__(self, text: str) -> Iterable[Found]: ...


@dataclass(frozen=True, slots=True)
class NamePipeline:
    """A loaded pipeline; `name` is what it is called, never a path."""

    name: str
    version: str
    _finder: Finder
    _window: int = _WINDOW
    _overlap: int = _OVERLAP

    def find(self, text: str) -> Iterator[Found]:
        """(start, end, label) of persons, places and organisations; windows may repeat one."""
        for offset, window in _windows(text, self._window, self._overlap):
            for start, end, entity in self._finder(window):
                label = _LABELS.get(entity)
                start, end = _trimmed(window, start, end)
                # What touches a window's edge may be cut there; the next window has it whole.
                cut = (offset and start == 0) or (end == len(window) and offset + end < len(text))
                if label and start < end and not cut:
                    yield offset + start, offset + end, label


def load_pipeline(source: str) -> NamePipeline:
    """The pipeline in a folder, or an installed spaCy package of that name.

    Raises:
        CorpusError: no such folder or package, or one that cannot be used, and why.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        return _in_folder(path)
    if regex.fullmatch(r"[A-Za-z]\w{1,80}", source) and (folder := _package(source)):
        return _in_folder(folder, source)
    raise CorpusError(
        "--ner: no such folder, and no installed spaCy pipeline of that name. Nothing is fetched: "
        "give the folder of a spaCy pipeline or of a Hugging Face token classifier, or install "
        "one, such as en_core_web_sm, with pip."
    )


def installed_pipeline() -> str | None:
    """The name of a spaCy pipeline for English that is installed; the largest of the usual."""
    return next((name for name in _USUAL if _package(name)), None)


def _package(name: str) -> Path | None:
    """The data folder of an installed spaCy package, found without importing it."""
    try:
        files = distribution(name.replace("_", "-"))
    except PackageNotFoundError:
        return None
    inside = [
        Path(str(files.locate_file(f))).parent for f in files.files or () if f.name == "config.cfg"
    ]
    return inside[0] if inside else None


def _in_folder(path: Path, name: str = "") -> NamePipeline:
    if (path / "config.cfg").is_file() and (path / "meta.json").is_file():
        return _spacy_pipeline(path, name)
    if (path / "config.json").is_file():
        return _token_classifier(path)
    inner = sorted(config.parent for config in path.glob("*/config.cfg"))
    if len(inner) == 1:  # an unpacked package holds its pipeline in a folder of its own
        return _spacy_pipeline(inner[0], name)
    raise CorpusError(
        f"--ner: {path.name or 'the folder'} holds neither a spaCy pipeline (config.cfg and "
        "meta.json) nor a Hugging Face token classifier (config.json). Give the folder of one."
    )


# spaCy


def _spacy_pipeline(path: Path, name: str) -> NamePipeline:
    """A spaCy pipeline through presidio's engine, without the parts that names do not need.

    Raises:
        CorpusError: one that spaCy cannot load, or that finds no entities.
    """
    import spacy
    from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine
    from spacy.errors import MatchPatternError

    try:
        nlp = spacy.load(path, exclude=_UNUSED)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, MatchPatternError) as error:
        raise CorpusError(
            f"--ner: spaCy cannot load {path.name} ({type(error).__name__}): it is damaged, made for "
            "another version of spaCy, or needs a package that is not installed. Give another."
        ) from None
    if not any(component in nlp.pipe_names for component in ("ner", "entity_ruler", "beam_ner")):
        raise CorpusError(f"--ner: {path.name} has no part that finds entities. Give another.")
    found = {label for part in nlp.pipe_names for label in nlp.pipe_labels.get(part, [])}
    mapping = _mapping(found)
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    engine = SpacyNlpEngine(
        ner_model_configuration=NerModelConfiguration(
            model_to_presidio_entity_mapping=mapping,
            labels_to_ignore=sorted(found - mapping.keys()),
        )
    )
    engine.nlp = {"en": nlp}
    meta = nlp.meta
    called = name or f"{meta.get('lang', '')}_{meta.get('name', path.name)}"
    return NamePipeline(
        called, str(meta.get("version", "")), functools.partial(_spacy_find, engine)
    )


def _spacy_find(engine: "SpacyNlpEngine", text: str) -> Iterator[Found]:
    artifacts: NlpArtifacts = engine.process_text(text, "en")
    for entity in artifacts.entities:
        yield entity.start_char, entity.end_char, entity.label_


# Hugging Face


def _token_classifier(path: Path) -> NamePipeline:
    """A token classifier through presidio's recogniser.

    Raises:
        CorpusError: no token classifier, no safetensors weights, code of its own, or damaged.
    """
    config = _read_config(path)
    if config.get("auto_map"):
        raise CorpusError(
            f"--ner: {path.name} needs Python code of its own (`auto_map`), which is never run. "
            "Give a token classifier that transformers knows."
        )
    kinds = config.get("architectures") or []
    if not any("TokenClassification" in str(kind) for kind in kinds):
        raise CorpusError(
            f"--ner: {path.name} is no token classifier. Give one, such as a BERT for NER."
        )
    if not any(path.glob("*.safetensors")):
        raise CorpusError(
            f"--ner: {path.name} holds no .safetensors weights; pickled ones are never loaded. "
            "Convert them with `save_pretrained`."
        )
    recogniser = _recogniser(path)
    labels = {str(label) for label in (config.get("id2label") or {}).values()}
    plain = {regex.sub(r"^[BIULES]-", "", label) for label in labels} - {"O"}
    recogniser.label_mapping = _mapping(plain)  # pyright: ignore[reportAttributeAccessIssue]
    return NamePipeline(
        path.name, str(config.get("transformers_version", "")),
        functools.partial(_classifier_find, recogniser), _HF_WINDOW, _HF_OVERLAP,
    )  # fmt: skip


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads((path / "config.json").read_bytes())
    except (OSError, ValueError):
        config = None
    if not isinstance(config, dict):
        raise CorpusError(
            f"--ner: the config.json of {path.name} cannot be read. Give a whole folder."
        )
    return config


def _recogniser(path: Path) -> "LocalRecognizer":
    """presidio's recogniser with a pipeline that was loaded from the folder alone."""
    from presidio_analyzer.predefined_recognizers.ner.huggingface_ner_recognizer import (
        HuggingFaceNerRecognizer,
    )
    from safetensors import SafetensorError
    from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

    local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        model = AutoModelForTokenClassification.from_pretrained(path, use_safetensors=True, **local)
        tokenizer = AutoTokenizer.from_pretrained(path, **local)
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        RuntimeError,
        ImportError,
        SafetensorError,
    ) as error:
        raise CorpusError(
            f"--ner: {path.name} cannot be loaded ({type(error).__name__}): its weights or its "
            "tokenizer are missing or damaged. Give a whole folder."
        ) from None
    if not tokenizer.is_fast:
        raise CorpusError(
            f"--ner: {path.name} has no tokenizer.json, so offsets are unknown. Give one."
        )
    made = pipeline(
        "token-classification", model=model, tokenizer=tokenizer, aggregation_strategy="first"
    )

    class Loaded(HuggingFaceNerRecognizer):
        def load(self) -> None:
            self.ner_pipeline = made

    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    return Loaded(
        model_name=path.name, chunk_size=_HF_WINDOW, chunk_overlap=_HF_OVERLAP, device="cpu"
    )


def _classifier_find(recogniser: "LocalRecognizer", text: str) -> Iterator[Found]:
    # `analyze` logs what the model fails on and goes on as if nothing had been found.
    predicted = recogniser.ner_pipeline(text)  # pyright: ignore[reportAttributeAccessIssue]
    assert isinstance(predicted, list)
    for found in recogniser.analyze(text, []):
        yield found.start, found.end, found.entity_type


# Shared


def _mapping(labels: Iterable[str]) -> dict[str, str]:
    """A model's labels, those that are ours, to presidio's names of them."""
    from presidio_analyzer.nlp_engine import NerModelConfiguration

    known = {**NerModelConfiguration().model_to_presidio_entity_mapping, **_ALIASES}
    plain = {label: regex.sub(r"[^A-Z]", "", label.upper()) for label in labels}
    return {label: known[name] for label, name in plain.items() if known.get(name) in _LABELS}


def _windows(text: str, size: int, overlap: int) -> Iterator[tuple[int, str]]:
    """Pieces of at most `size` characters that overlap, cut at a blank where there is one."""
    start = 0
    while True:
        end = min(len(text), start + size)
        if end < len(text) and (blank := text.rfind(" ", start + size - overlap // 2, end)) > 0:
            end = blank
        yield start, text[start:end]
        if end == len(text):
            return
        back = text.find(" ", end - overlap, end)
        start = back + 1 if back >= 0 else end - overlap


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """An entity without the blanks, quotes and possessive that models put into it."""
    value = text[start:end].partition("\n")[0] if "\n\n" in text[start:end] else text[start:end]
    kept = _EDGE.sub("", value)
    at = value.find(kept) if kept else 0
    return start + at, start + at + len(kept)
