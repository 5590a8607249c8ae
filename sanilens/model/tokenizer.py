"""A folder's own tokenizer: tokenizer.json as it is, whatever class its configuration names.

For many classes transformers rebuilds the tokenizer from its vocabulary, with the class's own
normaliser and pre-tokenizer in place of the file's; the ids then differ from those that the model
was trained on. Here the file alone decides, and so it does in an exported folder; only the names of
special tokens are read from tokenizer_config.json. Whether a start token that the file does not add
belongs before a text, the corpus decides (audit/opening.py).

A folder without tokenizer.json is read by its class, from vocab.txt, vocab.json and merges.txt,
or a sentencepiece model, which then must give the same pieces.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from sanilens.errors import ModelError
from sanilens.files import open_file
from sanilens.model import tokenizer_trial
from sanilens.model.libraries import as_model_error

FILE, CONFIG = "tokenizer.json", "tokenizer_config.json"
MOST_BYTES = 256 * 2**20
_BESIDE = ("special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "vocab.txt")
_TEMPLATES = ("chat_template.jinja", "chat_template.json")

# How the classes of transformers name what a configuration leaves out.
_USUAL = {
    "bos_token": ("<s>", "<bos>", "<|begin_of_text|>", "<|endoftext|>"),
    "eos_token": ("</s>", "<eos>", "<|end_of_text|>", "<|endoftext|>"),
    "unk_token": ("<unk>", "[UNK]"),
    "sep_token": ("[SEP]", "</s>"),
    "pad_token": ("[PAD]", "<pad>"),
    "cls_token": ("[CLS]", "<s>"),
    "mask_token": ("[MASK]", "<mask>"),
}


def load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """The tokenizer of a model's folder, giving the ids that its own file gives.

    Raises:
        ModelError: if its files are damaged or contradict each other, and how to mend it.
    """
    named = _special_names(folder)
    content = _content(folder, FILE)
    built = None
    if content is None:
        built = _built_by_its_class(folder)
        named = {**{key: str(value) for key, value in built.special_tokens_map.items()}, **named}
        content = built.backend_tokenizer.to_str().encode()
    trial = _tried(content)
    if "error" in trial:
        raise ModelError(
            f"{folder.name}: the tokenizer cannot be read ({trial['error']}). Save the tokenizer "
            "that the model was trained with again."
        )
    own = tokenizer_trial.plain(content)
    if built is None:
        _reconcile(folder, own)
    with as_model_error(
        f"{folder.name}: transformers cannot use {FILE}",
        "Save the tokenizer that the model was trained with again.",
    ):
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=own)
        # Also afterwards: of a named one with many tokens the constructor asks the hub about a fix.
        tokenizer.init_kwargs["name_or_path"] = tokenizer.name_or_path = str(folder)
        for name, token in _known(own, named).items():
            # Set afterwards: given to the constructor, it would be added to what splits a text.
            setattr(tokenizer, name, token)
        ids = [tokenizer(text, verbose=False)["input_ids"] for text in trial["texts"]]
    if ids != trial["ids"]:
        raise ModelError(
            f"{folder.name}: transformers reads {FILE} otherwise than tokenizers does (sample text "
            f"{next(i for i, a in enumerate(ids) if a != trial['ids'][i])}). Save the tokenizer "
            "again with the versions that are installed here."
        )
    return tokenizer


def copy_tokenizer(source: Path, target: Path) -> None:
    """Copy a folder's tokenizer files as they are."""
    names = (FILE, CONFIG, *_BESIDE, *_TEMPLATES)
    models = sorted(path.name for path in source.glob("*.model"))
    for name in (*names, *models):
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


@lru_cache(maxsize=3)
def _tried(content: bytes) -> dict[str, Any]:
    """What a process of its own makes of the file: see tokenizer_trial."""
    script = [sys.executable, "-I", str(Path(tokenizer_trial.__file__))]
    threads = {"RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    try:
        done = subprocess.run(
            script, input=content, capture_output=True, timeout=300, env={**os.environ, **threads}
        )
    except subprocess.TimeoutExpired:
        return {"error": "reading some lines of text takes it more than five minutes"}
    if done.returncode or not done.stdout:
        return {"error": "reading some lines of text takes more than 10 s or 2 GB"}
    return json.loads(done.stdout)


def _built_by_its_class(folder: Path) -> PreTrainedTokenizerFast:
    try:
        built = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except BaseException as error:
        if not _of_a_library(error):
            raise
        lines = str(error).strip().splitlines() or ["no detail"]
        raise ModelError(
            f"{folder.name}: transformers cannot read the tokenizer's files "
            f"({type(error).__name__}: {lines[0][:160]}). Save the tokenizer again with "
            "save_pretrained, which writes tokenizer.json."
        ) from error
    if not isinstance(built, PreTrainedTokenizerFast):
        raise ModelError(
            f"{folder.name}: the tokenizer gives no character offsets. "
            "Save a fast tokenizer (tokenizer.json) with the model."
        )
    if not (_writes_words(built) and _splits_as_sentencepiece(folder, built)):
        raise ModelError(
            f"{folder.name}: without tokenizer.json, transformers makes a tokenizer of its other "
            "files that reads text otherwise than they say. Save the tokenizer with the version "
            "that the model was trained with (save_pretrained, which writes tokenizer.json)."
        )
    return built


def _writes_words(tokenizer: PreTrainedTokenizerFast) -> bool:
    """Whether plain words come back as they were, as far as the vocabulary has their letters."""
    sample = "Seen on the ward for 3 weeks"
    ids = tokenizer(sample, add_special_tokens=False)["input_ids"]
    written = str(tokenizer.decode(ids)).strip().casefold()
    return tokenizer.unk_token_id in ids or written == sample.casefold()  # pyright: ignore


def _splits_as_sentencepiece(folder: Path, tokenizer: PreTrainedTokenizerFast) -> bool:
    """Whether texts fall into the pieces that the sentencepiece model itself makes of them.

    Blanks before a text are left out of it: with them classes differ by a piece.
    """
    models = list(folder.glob("*.model"))
    if len(models) != 1:
        return True
    # Imported here: nearly every folder has a tokenizer.json.
    from sentencepiece import SentencePieceProcessor

    try:
        processor = SentencePieceProcessor(model_file=str(models[0]))
    except RuntimeError:  # a file of tiktoken's, which has the same name
        return True
    return all(
        tokenizer.convert_ids_to_tokens(tokenizer(text, add_special_tokens=False)["input_ids"])  # pyright: ignore
        == processor.id_to_piece(processor.encode(text))
        for text in map(str.strip, tokenizer_trial.TEXTS[1:5])
    )


def _of_a_library(error: BaseException) -> bool:
    """Whether it is what libraries raise for files that they cannot read.

    tokenizers raises bare Exceptions, and its panics are BaseExceptions of a class without a name
    to import.
    """
    known = (OSError, ValueError, LookupError, TypeError, AttributeError, ImportError, RuntimeError)
    return isinstance(error, known) or type(error).__name__ in ("Exception", "PanicException")


def _special_names(folder: Path) -> dict[str, str | None]:
    """The special tokens that the configuration names, by their role; None: there is none."""
    named: dict[str, str | None] = {}
    for file in ("special_tokens_map.json", CONFIG):
        fields = _json_object(folder, file)
        for role in _USUAL:
            if role in fields:
                token = fields[role]
                token = token.get("content") if isinstance(token, dict) else token
                named[role] = token if isinstance(token, str) else None
    return named


def _known(tokenizer: Tokenizer, named: dict[str, str | None]) -> dict[str, str]:
    """Those of the names that the tokenizer has; a role without a name gets the usual one."""
    special = {t.content for t in tokenizer.get_added_tokens_decoder().values() if t.special}
    model_unknown = getattr(tokenizer.model, "unk_token", None)
    found: dict[str, str] = {}
    for role, usual in _USUAL.items():
        if role in named:
            token = named[role]
        elif role == "unk_token" and isinstance(model_unknown, str):
            token = model_unknown
        else:
            token = next((each for each in usual if each in special), None)
        if token is not None and tokenizer.token_to_id(token) is not None:
            found[role] = token
    return found


def _reconcile(folder: Path, tokenizer: Tokenizer) -> None:
    """Refuse a folder whose files give a token two ids, or merge in two orders."""
    for file, pairs in _said_beside(folder, type(tokenizer.model).__name__):
        wrong = next((i for token, i in pairs if tokenizer.token_to_id(token) != i), None)
        if wrong is not None:
            raise ModelError(
                f"{folder.name}: {file} and {FILE} contradict each other (token {wrong}). Which of "
                "them was the model trained with? Remove the other, or save the tokenizer again."
            )
    merges = _content(folder, "merges.txt")
    if merges is None or type(tokenizer.model).__name__ != "BPE":
        return
    lines = merges.decode(errors="replace").replace("\r\n", "\n").split("\n")
    beside = [line for line in lines if line.strip() and not line.startswith("#version")]
    own = json.loads(tokenizer.to_str())["model"]["merges"]
    if beside != [pair if isinstance(pair, str) else " ".join(pair) for pair in own]:
        raise ModelError(
            f"{folder.name}: merges.txt and {FILE} contradict each other. Which of them was the "
            "model trained with? Remove the other, or save the tokenizer again."
        )


def _said_beside(folder: Path, kind: str) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """(file, its tokens with their ids), of each file that names some."""
    for file in ("vocab.json", "added_tokens.json"):
        fields = _json_object(folder, file)
        yield file, [(t, i) for t, i in fields.items() if isinstance(i, int)]
    added = _json_object(folder, CONFIG).get("added_tokens_decoder")
    if isinstance(added, dict):
        tokens = [(i, t.get("content")) for i, t in added.items() if isinstance(t, dict)]
        known = [(t, i) for i, t in tokens if isinstance(t, str) and i.isdecimal()]
        yield CONFIG, [(t, int(i[:10])) for t, i in known]
    words = _content(folder, "vocab.txt")
    if words is not None and kind == "WordPiece":
        lines = words.decode(errors="replace").split("\n")
        # Of a word that stands there twice the last counts.
        ids = {line.rstrip("\r"): i for i, line in enumerate(lines) if line.strip()}
        yield "vocab.txt", [*ids.items()]


def _json_object(folder: Path, file: str) -> dict[str, Any]:
    """A JSON file's object; empty where there is no such file."""
    content = _content(folder, file)
    if content is None:
        return {}
    try:
        fields = json.loads(content)
        # A lone surrogate is legal in JSON, but no token; tokenizers die on it.
        json.dumps(fields, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"{folder.name}: {file} is not valid JSON. Save the tokenizer again."
        ) from error
    if not isinstance(fields, dict):
        raise ModelError(f"{folder.name}: {file} must hold one JSON object.")
    return fields


def _content(folder: Path, file: str) -> bytes | None:
    """What stands in a file; None where there is none."""
    path = folder / file
    if not path.exists():
        return None
    shown, remedy = f"{folder.name}: {file}", "Save the tokenizer again."
    with open_file(path, ModelError, remedy=remedy, shown=shown, most=MOST_BYTES) as opened:
        return opened.read()
