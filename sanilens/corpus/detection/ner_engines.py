"""Local pipelines as finders: spaCy's through presidio's engine, token classifiers of transformers.

Nothing is fetched, nothing is unpickled, and no code but the two libraries' own is run. Presidio's
list, and a few entries of ours, says which of a model's labels mean persons, places and
organisations.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import regex

from sanilens.errors import CorpusError
from sanilens.extras import needs

Found = tuple[int, int, str]

# presidio's names of what a pipeline finds, and our labels; dates and the rest have patterns.
LABELS: Mapping[str, str] = {
    "PERSON": "NAME",
    "LOCATION": "LOCATION",
    "ORGANIZATION": "ORGANIZATION",
}
# What model authors call them beside what presidio knows.
_ALIASES: Mapping[str, str] = {
    **dict.fromkeys(
        "FIRSTNAME LASTNAME GIVENNAME SURNAME MIDDLENAME NAME DOCTOR".split(), "PERSON"
    ),
    **dict.fromkeys("CITY COUNTRY STATE COUNTY FAC".split(), "LOCATION"),
    **dict.fromkeys("COMPANY COMPANYNAME VENDOR".split(), "ORGANIZATION"),
}
# Parts of a spaCy pipeline that names need nothing of.
_UNUSED = ("tagger", "parser", "lemmatizer", "attribute_ruler", "morphologizer", "senter")


class Finder(Protocol):
    """Gives (start, end, presidio's entity name) for a short text."""

    def __call__(self, text: str) -> Iterable[Found]: ...


@dataclass(frozen=True, slots=True)
class Engine:
    """A loaded pipeline: what it is called, its version, and how it finds."""

    name: str
    version: str
    find: Finder


def is_spacy(path: Path) -> bool:
    """Whether a folder looks like a spaCy pipeline's."""
    return (path / "config.cfg").is_file() and (path / "meta.json").is_file()


def spacy_engine(path: Path) -> Engine:
    """A spaCy pipeline through presidio's engine, without the parts that names do not need.

    Raises:
        CorpusError: one that needs code of others, that spaCy cannot load, or without entities.
    """
    with needs("detect"):
        import spacy
        from confection import ConfigValidationError
        from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

    try:
        config = spacy.util.load_config(path / "config.cfg")
        _refuse_code_of_others(path, config)
        nlp = spacy.load(path, exclude=_UNUSED)
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        ConfigValidationError,
    ) as error:
        raise CorpusError(
            f"--ner: spaCy cannot load {path.name} ({type(error).__name__}): it is damaged, or "
            "made for another version of spaCy. Give another."
        ) from None
    if not {"ner", "beam_ner", "entity_ruler"} & set(nlp.pipe_names):
        raise CorpusError(f"--ner: {path.name} has no part that finds entities. Give another.")
    labels = {label for part in nlp.pipe_names for label in nlp.pipe_labels.get(part, [])}
    mapping = _mapping(labels)
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    engine = SpacyNlpEngine(
        ner_model_configuration=NerModelConfiguration(
            model_to_presidio_entity_mapping=mapping,
            labels_to_ignore=sorted(labels - mapping.keys()),
        )
    )
    engine.nlp = {"en": nlp}  # its `load` would fetch what is not there

    def find(text: str) -> Iterator[Found]:
        for entity in engine.process_text(text, "en").entities:
            yield entity.start_char, entity.end_char, entity.label_

    meta = nlp.meta
    return Engine(f"{meta['lang']}_{meta['name']}", str(meta.get("version", "")), find)


def _refuse_code_of_others(path: Path, config: Mapping[str, Any]) -> None:
    """Refuse parts that spaCy itself does not define: they may run code, or fetch a model.

    Raises:
        CorpusError: naming no part, since its name is the author's.
    """
    parts = [part for name, part in config.get("components", {}).items() if name not in _UNUSED]
    own = {"tok2vec", "ner", "beam_ner", "entity_ruler", "sentencizer", "tagger", "parser"}
    foreign = any("source" in part or part.get("factory") not in own for part in parts)
    if foreign or any(not name.startswith("spacy.") for name in _registered(parts)):
        raise CorpusError(
            f"--ner: {path.name} needs code that spaCy itself does not have, which is not run. "
            "Give a pipeline of tok2vec and ner, such as en_core_web_sm."
        )


def _registered(value: Any) -> Iterator[str]:
    """Every function that a configuration names, however deep."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(key, str) and key.startswith("@"):
                yield str(inner)
            yield from _registered(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _registered(inner)


def classifier_engine(path: Path) -> Engine:
    """A Hugging Face token classifier.

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
    made = _pipeline(path)
    named = {str(label) for label in (config.get("id2label") or {}).values()} - {"O"}
    mapping = _mapping({regex.sub(r"^[BIULES]-", "", label) for label in named})
    if not mapping:
        raise CorpusError(
            f"--ner: none of the labels of {path.name} is known as a person, place or "
            "organisation. Give its config an `id2label` with names such as B-PER."
        )

    def find(text: str) -> Iterator[Found]:
        try:
            found = made(text)
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            raise CorpusError(
                f"--ner: {path.name} fails on a text ({type(error).__name__}). Give another."
            ) from None
        for entity in found:
            if label := mapping.get(entity["entity_group"]):
                yield entity["start"], entity["end"], label

    return Engine(path.name, str(config.get("transformers_version", "")), find)


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads((path / "config.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        config = None
    if not isinstance(config, dict) or not isinstance(config.get("id2label", {}), dict):
        raise CorpusError(
            f"--ner: the config.json of {path.name} cannot be read. Give a whole folder."
        )
    return config


def _pipeline(path: Path) -> Any:
    """transformers' pipeline, loaded from the folder alone."""
    from safetensors import SafetensorError
    from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

    local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        model = AutoModelForTokenClassification.from_pretrained(path, use_safetensors=True, **local)
        tokenizer = AutoTokenizer.from_pretrained(path, **local)
    except (
        OSError, ValueError, KeyError, TypeError, RuntimeError, ImportError, SafetensorError
    ) as error:  # fmt: skip
        raise CorpusError(
            f"--ner: {path.name} cannot be loaded ({type(error).__name__}): its weights or its "
            "tokenizer are missing or damaged. Give a whole folder."
        ) from None
    if not tokenizer.is_fast:
        raise CorpusError(
            f"--ner: {path.name} has no tokenizer.json, so offsets are unknown. Give one."
        )
    # Longer texts go through in pieces that overlap: without a stride their rest would be cut off
    # unread. Some models count positions from 2.
    positions = getattr(model.config, "max_position_embeddings", 512) - 2
    tokenizer.model_max_length = min(tokenizer.model_max_length, positions)
    return pipeline(
        "token-classification", model=model, tokenizer=tokenizer, aggregation_strategy="first",
        stride=tokenizer.model_max_length // 4,
    )  # fmt: skip


def _mapping(labels: Iterable[str]) -> dict[str, str]:
    """Those of a model's labels that matter here, with presidio's names for them."""
    with needs("detect"):
        from presidio_analyzer.nlp_engine import NerModelConfiguration

    usual = NerModelConfiguration().model_to_presidio_entity_mapping or {}
    known = {**usual, **_ALIASES}
    plain = {label: regex.sub(r"[^A-Z]", "", label.upper()) for label in labels}
    return {label: known[name] for label, name in plain.items() if known.get(name) in LABELS}
