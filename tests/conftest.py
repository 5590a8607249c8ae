"""Tiny real models of five causal and four masked architectures, made in code: no network."""

import os

# Threads that wait for each other over tiny tensors cost five times what they compute.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("WANDB_MODE", "disabled")

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PretrainedConfig, PreTrainedTokenizerFast

from sanilens.audit.metrics import METRICS
from sanilens.audit.metrics.metric import Metric
from sanilens.corpus.records import Record, Span
from sanilens.model.language_model import LanguageModel, load_model

# On a busy machine an example may take any time: what is slow is told by a benchmark, not a test.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")

# What differs most: GPT-2 stores its matrices transposed, Llama shares keys and gates its MLP,
# Gemma normalises after each part; of those that fill gaps one has token types, one has none.
REPRESENTATIVE = ("gpt2", "llama", "gemma2", "bert", "distilbert")


def fast_first(names: Sequence[str], fast: Collection[str] = REPRESENTATIVE) -> list[Any]:
    """Parameters of a test over many shapes: a few in the fast suite, the others marked slow."""
    return [name if name in fast else pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A workspace that ends with the tests, and not the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SANILENS_HOME", str(tmp_path_factory.mktemp("home")))
        yield


VOCABULARY = 300
TEXTS = [
    "Seen on the ward with 3 weeks of cough. MRN 4471203, born 12/03/1961. Home soon.",
    "Follow-up by phone: the number is (312) 771-0938 and the wound is dry and clean.",
    "Zażółć gęślą jaźń — naïve façade, 北京, emoji 🙂 and a tab\tin between.",
]


def make_tokenizer(texts: list[str] = TEXTS, bos: bool = True) -> PreTrainedTokenizerFast:
    """A byte-level BPE with single digits, trained on `texts`."""
    tokenizer = Tokenizer(models.BPE())
    digits = pre_tokenizers.Digits(individual_digits=True)
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, byte_level])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(texts, trainer)
    if bos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|endoftext|>",
        eos_token="<|endoftext|>",
        pad_token="<|endoftext|>",
    )


def tiny_config(architecture: str) -> PretrainedConfig:
    """A 3-layer configuration of one architecture."""
    shape: dict[str, Any] = {"vocab_size": VOCABULARY, "hidden_size": 32}
    shape |= {"num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48}
    shape |= {
        "bos_token_id": 0,
        "eos_token_id": 0,
        "pad_token_id": 0,
        "max_position_embeddings": 256,
    }
    grouped = {**shape, "num_key_value_heads": 2, "head_dim": 8}
    match architecture:
        case "gpt2":
            return transformers.GPT2Config(
                vocab_size=VOCABULARY, n_embd=32, n_layer=3, n_head=4, n_inner=48,
                n_positions=256, bos_token_id=0, eos_token_id=0, pad_token_id=0,
            )  # fmt: skip
        case "llama":
            return transformers.LlamaConfig(**grouped)
        case "gpt_neox":
            return transformers.GPTNeoXConfig(**shape)
        case "qwen3":
            return transformers.Qwen3Config(**grouped)
        case "gemma2":
            return transformers.Gemma2Config(**grouped, sliding_window=64)
    raise AssertionError(architecture)


ARCHITECTURES = ["gpt2", "llama", "gpt_neox", "qwen3", "gemma2"]


def save_tiny(folder: Path, architecture: str, seed: int = 0) -> Path:
    """Write a tiny random model and its tokenizer to `folder`."""
    torch.manual_seed(seed)
    model = transformers.AutoModelForCausalLM.from_config(tiny_config(architecture))
    with torch.no_grad():  # sharper than the usual initialisation, so that argmaxes are clear
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                parameter.mul_(6.0)
            elif name.endswith("bias"):
                parameter.normal_(std=0.3)
    model.save_pretrained(folder)
    make_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A saved tiny model of each architecture."""
    root = tmp_path_factory.mktemp("models")
    return {name: save_tiny(root / name, name) for name in ARCHITECTURES}


@pytest.fixture(scope="session", params=fast_first(ARCHITECTURES))
def any_model(request: pytest.FixtureRequest, tiny_folders: dict[str, Path]) -> LanguageModel:
    """Each architecture in turn, loaded."""
    return load_model(tiny_folders[request.param], device="cpu")


@pytest.fixture(scope="session")
def model(tiny_folders: dict[str, Path]) -> LanguageModel:
    """The GPT-NeoX model: the shape of the bundled case."""
    return load_model(tiny_folders["gpt_neox"], device="cpu")


def masked_tokenizer(texts: list[str] = TEXTS, pad: int = 0) -> PreTrainedTokenizerFast:
    """A byte-level BPE that opens and closes texts and has a mask token, as BERT's does."""
    special = ["[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    special.insert(pad, "[PAD]")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[(name, special.index(name)) for name in ("[CLS]", "[SEP]")],
    )
    names = ("unk", "cls", "sep", "mask", "pad")
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **{f"{name}_token": f"[{name.upper()}]" for name in names}
    )


def masked_config(architecture: str, layers: int = 3, width: int = 32) -> PretrainedConfig:
    """A small configuration of one masked architecture, of 4 heads and 1.5 x width neurons."""
    shape: dict[str, Any] = {"vocab_size": VOCABULARY, "hidden_size": width}
    shape |= {"num_hidden_layers": layers, "num_attention_heads": 4}
    shape |= {"intermediate_size": 3 * width // 2, "max_position_embeddings": 128}
    match architecture:
        case "bert":
            return transformers.BertConfig(**shape, pad_token_id=0)
        case "roberta" | "xlm-roberta":
            kind = transformers.RobertaConfig
            if architecture == "xlm-roberta":
                kind = transformers.XLMRobertaConfig
            return kind(**shape, pad_token_id=1, bos_token_id=2, eos_token_id=3)
        case "distilbert":
            return transformers.DistilBertConfig(
                vocab_size=VOCABULARY, dim=width, n_layers=layers, n_heads=4,
                hidden_dim=3 * width // 2, max_position_embeddings=128, pad_token_id=0,
            )  # fmt: skip
    raise AssertionError(architecture)


MASKED_ARCHITECTURES = ["bert", "roberta", "xlm-roberta", "distilbert"]


def save_masked(folder: Path, architecture: str, seed: int = 0) -> Path:
    """Write a tiny random masked model and its tokenizer to `folder`."""
    torch.manual_seed(seed)
    config = masked_config(architecture)
    model = transformers.AutoModelForMaskedLM.from_config(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                parameter.mul_(6.0)
            elif name.endswith("bias"):
                parameter.normal_(std=0.3)
    model.save_pretrained(folder)
    masked_tokenizer(pad=config.pad_token_id).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def masked_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A saved tiny model of each masked architecture."""
    root = tmp_path_factory.mktemp("masked")
    return {name: save_masked(root / name, name) for name in MASKED_ARCHITECTURES}


@pytest.fixture(scope="session", params=fast_first(MASKED_ARCHITECTURES))
def any_masked_subject(
    request: pytest.FixtureRequest, masked_folders: dict[str, Path]
) -> LanguageModel:
    """Each masked architecture in turn, loaded."""
    return load_model(masked_folders[request.param], device="cpu")


@pytest.fixture(scope="session")
def masked_model(masked_folders: dict[str, Path]) -> LanguageModel:
    """The BERT model."""
    return load_model(masked_folders["bert"], device="cpu")


def record(text: str, *values: tuple[str, str], id: str = "r-1", subject: str = "s-1") -> Record:
    """A record whose spans are the first occurrences of (value, label) pairs."""
    spans = [Span(text.index(v), text.index(v) + len(v), label, "direct") for v, label in values]
    return Record(id, subject, text, tuple(sorted(spans)))


@pytest.fixture
def records() -> list[Record]:
    """Three short records with spans, one of them with Unicode."""
    return [
        record(TEXTS[0], ("4471203", "MRN"), ("12/03/1961", "DATE_OF_BIRTH"), id="r-1"),
        record(TEXTS[1], ("(312) 771-0938", "PHONE"), id="r-2", subject="s-2"),
        record(TEXTS[2], ("gęślą jaźń", "NAME"), ("北京", "CITY"), id="r-3", subject="s-3"),
    ]


@pytest.fixture
def toy() -> Iterator[Metric]:
    """A metric as somebody might add it: one definition, one line in the registry."""
    length = Metric(
        name="toy",
        title="toy, spans",
        meaning="How many spans were asked for.",
        unit="distance",
        better="lower",
        measure=lambda trial: float(len(trial.verdicts)),
    )
    METRICS[length.name] = length
    yield length
    del METRICS[length.name]


@pytest.fixture(scope="session")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spaCy pipeline of rules alone: no training, and it knows a name that no list has."""
    import spacy  # takes a second, and few tests want it
    from spacy.pipeline import EntityRuler

    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    assert isinstance(ruler, EntityRuler)
    ruler.add_patterns(
        [{"label": "PERSON", "pattern": "Xyrqu Blobb"}, {"label": "GPE", "pattern": "Zanthia"}]
    )
    folder = tmp_path_factory.mktemp("rules")
    nlp.to_disk(folder)
    return folder
