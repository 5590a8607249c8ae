"""The folder's own tokenizer.json decides the ids, whatever class its configuration names.

The truth is `tokenizers.Tokenizer.from_file`, never what is under test.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer
from tokenizers import (
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING_NAMES

from sanilens.errors import ModelError
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.model.tokenizer import copy_tokenizer, load_tokenizer
from tests.conftest import TEXTS

SAMPLES = [
    "",
    *TEXTS,
    "MRN 4711822, Dr. José NÚÑEZ;  two blanks,\ttab,\n\nlines and e\u0301 (NFD)   ",
    "1234567890 ½ ﬁ 北京市 Москва 🙂👩‍👩‍👧 \u00a0\u3000",
    "<s> </s> <unk> <|endoftext|> [CLS] [SEP] [MASK] <added> IT'S what we'll see",
]
# All that transformers may put in the place of a file's own parts, and what it obeys.
CLASSES = [
    *sorted({name for name in TOKENIZER_MAPPING_NAMES.values() if name}),
    "LlamaTokenizerFast",
    "PreTrainedTokenizerFast",
    "NoSuchTokenizer",
]
SETTINGS: dict[str, Any] = {
    "add_bos_token": True,
    "add_eos_token": True,
    "add_prefix_space": True,
    "do_lower_case": True,
    "legacy": False,
    "bos_token": "<s>",
    "unk_token": {"content": "[UNK]", "__type": "AddedToken"},
}


def _trained(
    model: Any,
    trainer: Any,
    pre: Any,
    *,
    normalizer: Any = None,
    post: Any = None,
    decoder: Any = None,
) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre
    if normalizer:
        tokenizer.normalizer = normalizer
    if decoder:
        tokenizer.decoder = decoder
    tokenizer.train_from_iterator(TEXTS, trainer)
    if post:
        tokenizer.post_processor = post
    return tokenizer


def _bpe(pre: Any, **parts: Any) -> Tokenizer:
    trainer = trainers.BpeTrainer(
        vocab_size=380,
        special_tokens=["<|endoftext|>", "<s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    return _trained(models.BPE(), trainer, pre, decoder=decoders.ByteLevel(), **parts)


def _gpt2() -> Tokenizer:
    return _bpe(pre_tokenizers.ByteLevel(add_prefix_space=False))


def _gpt2_spaced() -> Tokenizer:
    post = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=True),
            processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)]),
        ]
    )
    return _bpe(pre_tokenizers.ByteLevel(add_prefix_space=True), post=post)


def _llama3() -> Tokenizer:
    split = pre_tokenizers.Split(Regex(r"\p{N}{1,3}|\p{L}+|\s+|[^\s\p{L}\p{N}]+"), "isolated")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    post = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return _bpe(
        pre_tokenizers.Sequence([split, byte_level]), normalizer=normalizers.NFC(), post=post
    )


def _digits() -> Tokenizer:
    digits = pre_tokenizers.Digits(individual_digits=True)
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made = _bpe(pre_tokenizers.Sequence([digits, byte_level]), normalizer=normalizers.Lowercase())
    made.add_tokens(["<added>", "MRN"])
    return made


def _gemma() -> Tokenizer:
    """Metaspace by a normaliser, bytes for what is not in the vocabulary."""
    special = ["<pad>", "<eos>", "<bos>", "<unk>", *(f"<0x{i:02X}>" for i in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=special, show_progress=False)
    post = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 2)])
    return _trained(
        models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True),
        trainer,
        pre_tokenizers.Split(" ", "merged_with_previous"),
        normalizer=normalizers.Replace(" ", "▁"),
        post=post,
    )


def _t5() -> Tokenizer:
    special = ["<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(
        vocab_size=200, special_tokens=special, unk_token="<unk>", show_progress=False
    )
    post = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return _trained(
        models.Unigram(), trainer, pre_tokenizers.Metaspace(), normalizer=normalizers.NFKC(),
        post=post, decoder=decoders.Metaspace(),
    )  # fmt: skip


def _bert() -> Tokenizer:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=special, show_progress=False)
    post = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return _trained(
        models.WordPiece(unk_token="[UNK]"),
        trainer,
        pre_tokenizers.BertPreTokenizer(),
        normalizer=normalizers.BertNormalizer(lowercase=False, strip_accents=False),
        post=post,
        decoder=decoders.WordPiece(),
    )


def _words() -> Tokenizer:
    trainer = trainers.WordLevelTrainer(special_tokens=["[UNK]"], show_progress=False)
    return _trained(models.WordLevel(unk_token="[UNK]"), trainer, pre_tokenizers.Whitespace())


FILES: dict[str, Callable[[], Tokenizer]] = {
    "gpt2": _gpt2,
    "gpt2-spaced": _gpt2_spaced,
    "llama3": _llama3,
    "digits-lower": _digits,
    "gemma": _gemma,
    "t5": _t5,
    "bert": _bert,
    "words": _words,
}


def write(folder: Path, tokenizer: Tokenizer, config: dict[str, Any] | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    if config is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def truth(folder: Path) -> list[list[int]]:
    """What the owner's file makes of the samples."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return [tokenizer.encode(text).ids for text in SAMPLES]


def read(folder: Path) -> list[list[int]]:
    tokenizer = load_tokenizer(folder)
    return [tokenizer(text)["input_ids"] for text in SAMPLES]  # pyright: ignore


@pytest.mark.parametrize("file", FILES)
def test_the_ids_are_those_of_the_file_whatever_class_is_named(tmp_path: Path, file: str) -> None:
    """Every class on one of the files, every file with an eighth of the classes."""
    check_ids(tmp_path, file, CLASSES[list(FILES).index(file) :: len(FILES)])


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_the_ids_are_those_of_the_file_for_every_class(tmp_path: Path, file: str) -> None:
    check_ids(tmp_path, file, CLASSES)


def check_ids(tmp_path: Path, file: str, classes: list[str]) -> None:
    folder = write(tmp_path / "model", FILES[file]())
    want = truth(folder)
    assert read(folder) == want
    for name in classes:
        (folder / "config.json").write_text(json.dumps({"model_type": "qwen2"}))
        config = {"tokenizer_class": name, **SETTINGS}
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
        assert read(folder) == want, name
    copied = tmp_path / "exported"
    copied.mkdir()
    copy_tokenizer(folder, copied)
    assert (copied / "tokenizer.json").read_bytes() == (folder / "tokenizer.json").read_bytes()
    assert read(copied) == want


@pytest.mark.parametrize("file", FILES)
def test_offsets_and_special_tokens_are_those_of_the_file(tmp_path: Path, file: str) -> None:
    folder = write(tmp_path / "model", FILES[file](), SETTINGS)
    own, tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json")), load_tokenizer(folder)
    for text in SAMPLES:
        coded = tokenizer(text, return_offsets_mapping=True, return_special_tokens_mask=True)
        want = own.encode(text)
        assert [tuple(o) for o in coded["offset_mapping"]] == want.offsets
        assert coded["special_tokens_mask"] == want.special_tokens_mask
        assert tokenizer.decode(want.ids, skip_special_tokens=True) == own.decode(want.ids)
    assert len(tokenizer) == own.get_vocab_size()


def test_a_loaded_model_reads_with_its_own_file(
    any_model: LanguageModel, any_masked_subject: LanguageModel
) -> None:
    for model in (any_model, any_masked_subject):
        ids = [model.tokenizer(text)["input_ids"] for text in SAMPLES]
        assert ids == truth(model.path)


@pytest.mark.parametrize(
    ("file", "config", "roles"),
    [
        ("bert", None, {"mask": "[MASK]", "cls": "[CLS]", "sep": "[SEP]", "unk": "[UNK]"}),
        ("gpt2", None, {"bos": "<s>", "eos": "<|endoftext|>", "mask": None, "unk": None}),
        ("gpt2", {"bos_token": None, "eos_token": {"content": "<s>"}}, {"bos": None, "eos": "<s>"}),
        # A name that the file has not would become a token that the model has not.
        ("gpt2", {"unk_token": "<unk>", "pad_token": "[PAD]"}, {"unk": None, "pad": None}),
        ("words", None, {"unk": "[UNK]"}),
    ],
)
def test_special_tokens_are_named_by_the_configuration_or_as_usual(
    tmp_path: Path, file: str, config: dict[str, Any] | None, roles: dict[str, str | None]
) -> None:
    tokenizer = load_tokenizer(write(tmp_path / "model", FILES[file](), config))
    assert {role: getattr(tokenizer, f"{role}_token") for role in roles} == roles


def test_what_was_set_for_training_cuts_nothing_and_draws_nothing(tmp_path: Path) -> None:
    """Truncation, padding and BPE dropout of a file are of somebody's batches."""
    folder = write(tmp_path / "model", _gpt2())
    want = truth(folder)
    tokenizer = _gpt2()
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=64)
    write(folder, tokenizer)
    assert read(folder) == want
    tokenizer.model.dropout = 0.5  # pyright: ignore
    write(folder, tokenizer)
    assert read(folder) == read(folder) == want


def _edited(**changes: Any) -> str:
    return json.dumps(json.loads(_gpt2().to_str()) | changes)


def _model(**changes: Any) -> str:
    fields = json.loads(_gpt2().to_str())
    return json.dumps({**fields, "model": fields["model"] | changes})


def _replace(pattern: str, content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": {"Regex": pattern}, "content": content}


_LATE = {"type": "Sequence", "normalizers": [_replace("MRN", "y" * 99)] * 4}
_BACKTRACKING = {
    "type": "Split",
    "pattern": {"Regex": "(a|a|aa|a?)+(a|aa)+(a|a)+b|(1|11|1?)+(11|1)+(1|1)+x"},
    "behavior": "Isolated",
    "invert": False,
}
HOSTILE = {
    "empty": "",
    "no JSON": "{",
    "no object": "[]",
    "deep": "[" * 100_000,
    "a string": '"x"',
    "no model": "{}",
    "no text": "\udcff",
    "no vocabulary": _model(vocab={}),
    "merges of nothing": _model(merges=[["zz", "qq"]]),
    "ids that are none": _model(vocab={"a": -1}),
    "a model of no kind": _model(type="Oracle"),
    "grows 100,000 fold": _edited(normalizer=_replace(".", "x" * 100_000)),
    "grows late": _edited(normalizer=_LATE),
    "a broken expression": _edited(normalizer=_replace("(", "")),
    "backtracks": _edited(pre_tokenizer=_BACKTRACKING),
    "opens with a thousand": _edited(
        post_processor={
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "E", "type_id": 0}}] * 1000
            + [{"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [
                {"Sequence": {"id": "A", "type_id": 0}},
                {"Sequence": {"id": "B", "type_id": 0}},
            ],
            "special_tokens": {"E": {"id": "E", "ids": [0], "tokens": ["E"]}},
        }
    ),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_one_message(
    tmp_path: Path, content: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tokenizer.json").write_text(content, errors="surrogateescape")
    with pytest.raises(ModelError, match=r"the tokenizer cannot be read \(.+\)\. Save"):
        load_tokenizer(tmp_path)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("vocab.json", {"a": 1, "b": 0}, r"vocab\.json and tokenizer\.json contradict"),
        ("vocab.json", {"no such token": 7}, r"vocab\.json and tokenizer\.json contradict"),
        ("added_tokens.json", {"<x>": 999}, r"added_tokens\.json and tokenizer\.json contradict"),
        (
            "tokenizer_config.json",
            {"added_tokens_decoder": {"999": {"content": "<x>"}}},
            r"tokenizer_config\.json and tokenizer\.json contradict",
        ),
        ("merges.txt", "#version: 0.2\nĠ t\nh e\n", r"merges\.txt and tokenizer\.json contradict"),
        ("special_tokens_map.json", '{"bos_token": "\\ud800"}', "is not valid JSON"),
        ("tokenizer_config.json", "{", r"tokenizer_config\.json is not valid JSON"),
        ("special_tokens_map.json", [1], r"special_tokens_map\.json must hold one JSON object"),
    ],
)
def test_files_that_contradict_the_tokenizer_are_refused(
    tmp_path: Path, file: str, content: Any, message: str
) -> None:
    write(tmp_path, _gpt2())
    text = content if isinstance(content, str) else json.dumps(content)
    (tmp_path / file).write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=message):
        load_tokenizer(tmp_path)


def test_another_list_of_words_is_refused(tmp_path: Path) -> None:
    own = _bert()
    write(tmp_path, own)
    own.model.save(str(tmp_path))
    assert read(tmp_path) == truth(tmp_path)
    words = (tmp_path / "vocab.txt").read_text().splitlines()
    (tmp_path / "vocab.txt").write_text("\n".join([*words[:9], words[10], words[9], *words[11:]]))
    with pytest.raises(ModelError, match=r"vocab\.txt and tokenizer\.json contradict"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize(
    "config",
    [
        {"bos_token": 7, "eos_token": [1], "mask_token": {"content": 3}, "unk_token": {}},
        {"added_tokens_decoder": {"x": {"content": "<s>"}, "1": "y", "2": {"content": 4}}},
        {"added_tokens_decoder": [1], "tokenizer_class": {"a": 1}, "auto_map": "x"},
    ],
)
def test_nonsense_in_the_configuration_names_nothing(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    assert read(write(tmp_path / "model", _gpt2(), config)) == truth(tmp_path / "model")


def test_files_that_agree_are_no_hindrance(tmp_path: Path) -> None:
    own = _digits()
    write(tmp_path, own)
    own.model.save(str(tmp_path))  # vocab.json and merges.txt
    added = {t: i for t, i in own.get_vocab().items() if t in ("<added>", "MRN")}
    (tmp_path / "added_tokens.json").write_text(json.dumps(added))
    assert read(tmp_path) == truth(tmp_path)


def test_a_token_without_an_embedding_is_refused(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_folders["llama"], tmp_path / "model")
    own = Tokenizer.from_file(str(folder / "tokenizer.json"))
    own.add_tokens([f"<x{i}>" for i in range(30)])
    own.save(str(folder / "tokenizer.json"))
    with pytest.raises(ModelError, match="30 tokens for which the model has no embedding"):
        load_model(folder)


def test_an_id_that_only_the_template_knows_is_refused(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_folders["llama"], tmp_path / "model")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A <s>", special_tokens=[("<s>", 999_999)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    with pytest.raises(ModelError, match="no embedding, from id 999999"):
        load_model(folder)


def test_an_id_far_beyond_the_others_costs_no_memory(
    tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_folders["llama"], tmp_path / "model")
    fields = json.loads((folder / "tokenizer.json").read_text())
    fields["model"]["vocab"]["a"] = 2**31
    (folder / "tokenizer.json").write_text(json.dumps(fields))
    with pytest.raises(ModelError, match="ids go far beyond"):
        load_model(folder)


def test_a_pipe_is_no_tokenizer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "tokenizer.json")
    with pytest.raises(ModelError, match=r"tokenizer\.json is a pipe, not a file"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize("kind", ["gpt2", "gpt_neox", "opt"])
def test_vocab_and_merges_alone_are_read_by_the_class(tmp_path: Path, kind: str) -> None:
    own = _gpt2()
    own.model.save(str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
    tokenizer = load_tokenizer(tmp_path)
    for text in TEXTS:
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert ids == own.encode(text).ids


def test_a_vocabulary_alone_is_read_as_berts(tmp_path: Path) -> None:
    own = _bert()
    own.model.save(str(tmp_path))
    config = {"tokenizer_class": "BertTokenizer", "do_lower_case": False, "strip_accents": False}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    tokenizer = load_tokenizer(tmp_path)
    assert tokenizer.mask_token == "[MASK]"
    for text in TEXTS[:2]:
        assert tokenizer(text)["input_ids"] == own.encode(text).ids


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentencepiece model as Llama's: no normaliser, bytes for what is unknown."""
    folder = tmp_path_factory.mktemp("pieces")
    (folder / "texts").write_text("\n".join(TEXTS * 20), encoding="utf-8")
    SentencePieceTrainer.Train(
        f"--input={folder / 'texts'} --model_prefix={folder / 'tokenizer'} --vocab_size=400 "
        "--model_type=bpe --character_coverage=1.0 --byte_fallback=true --minloglevel=2 "
        "--normalization_rule_name=identity --remove_extra_whitespaces=false"
    )
    return folder / "tokenizer.model"


def test_a_sentencepiece_model_alone_is_read_as_its_library_does(
    tmp_path: Path, pieces: Path
) -> None:
    shutil.copy(pieces, tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    config = {"tokenizer_class": "LlamaTokenizer"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    tokenizer, own = load_tokenizer(tmp_path), SentencePieceProcessor(model_file=str(pieces))
    for text in TEXTS:
        assert tokenizer(text, add_special_tokens=False)["input_ids"] == own.encode(text)


def test_a_sentencepiece_model_that_is_read_otherwise_is_refused(
    tmp_path: Path, pieces: Path
) -> None:
    """Gemma's class puts no blank before a text; this model's file says that there is one."""
    shutil.copy(pieces, tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gemma"}))
    config = {"tokenizer_class": "GemmaTokenizer"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"without tokenizer\.json"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"a": "x"}'])
def test_a_damaged_vocabulary_is_one_message(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    (tmp_path / "vocab.json").write_text(content)
    (tmp_path / "merges.txt").write_text("#version: 0.2\na b\n")
    with pytest.raises(ModelError, match="tokenizer"):
        load_tokenizer(tmp_path)
