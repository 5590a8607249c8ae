"""What the tokenizer cannot write is never a verdict; what it writes otherwise still is."""

from dataclasses import replace

import pytest
import torch
import transformers
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)
from transformers import PreTrainedTokenizerFast

from sanilens.audit.extraction import audit_spans
from sanilens.audit.passages import can_write
from sanilens.audit.summary import memory, uncounted, why_nothing
from sanilens.corpus.records import Record, Span
from sanilens.model.align import encode
from sanilens.model.language_model import LanguageModel
from tests.conftest import record

TEXT = "seen on the ward: Ana Ruiz, then José Núñez and 北京 in LONDON, 12 %"
VALUES = ["Ana Ruiz", "José Núñez", "北京", "LONDON", "12 %"]


def bpe(unk: str | None, fallback: bool = False) -> Tokenizer:
    """A vocabulary of ASCII letters only, with bytes for the rest or without."""
    kept = sorted({c for c in TEXT if c.isascii() and not c.isspace()} | {"▁"})
    special = [unk] if unk else []
    words = [*special, *(f"<0x{b:02X}>" for b in range(256) if fallback), *kept]
    tokenizer = Tokenizer(
        models.BPE({w: i for i, w in enumerate(words)}, [], unk_token=unk, byte_fallback=fallback)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    ways = [decoders.ByteFallback(), decoders.Fuse()] if fallback else []
    tokenizer.decoder = decoders.Sequence([*ways, decoders.Metaspace()])
    return tokenizer


def byte_level() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator([TEXT], trainer)
    return tokenizer


def lower_case() -> Tokenizer:
    """BERT's uncased form: no case, no accents."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=80, special_tokens=["[UNK]"], show_progress=False
    )
    tokenizer.train_from_iterator([TEXT], trainer)
    return tokenizer


def decomposed() -> Tokenizer:
    tokenizer = byte_level()
    tokenizer.normalizer = normalizers.NFD()
    return tokenizer


def without_decoder() -> Tokenizer:
    tokenizer = byte_level()
    tokenizer.decoder = None
    return tokenizer


@pytest.mark.parametrize(
    ("made", "unk", "lost"),
    [
        (bpe("<unk>"), "<unk>", {"José Núñez", "北京"}),
        (bpe(None), None, {"José Núñez", "北京"}),  # the characters vanish without a token
        (bpe("<unk>", fallback=True), "<unk>", set()),
        (byte_level(), None, set()),
        (without_decoder(), None, set()),
        (decomposed(), None, set()),
        (lower_case(), "[UNK]", set()),
    ],
    ids=["unknown", "dropped", "byte fallback", "bytes", "no decoder", "NFD", "lower case"],
)
def test_what_a_tokenizer_can_write(
    model: LanguageModel, made: Tokenizer, unk: str | None, lost: set[str]
) -> None:
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, unk_token=unk)
    of_it = replace(model, tokenizer=tokenizer)
    kept = [v for v in VALUES if any(c.isascii() for c in v)] if unk is None and lost else VALUES
    encoded = encode(of_it, record(TEXT, *((v, "NAME") for v in kept)))
    found = {
        encoded.record.value(s.span) for s in encoded.spans if not can_write(of_it, encoded, s)
    }
    assert found == lost & set(kept)


def test_an_unknown_token_is_never_extracted(model: LanguageModel) -> None:
    """A model that says every token of the spans says those that can be written."""
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe("<unk>"), unk_token="<unk>")
    torch.manual_seed(0)
    config = transformers.GPTNeoXConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=3, num_attention_heads=4,
        intermediate_size=48, max_position_embeddings=256,
    )  # fmt: skip
    module = transformers.GPTNeoXForCausalLM(config)
    ids = tokenizer(TEXT, return_tensors="pt")["input_ids"]
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-2)
    for _ in range(60):
        loss = module(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    taught = replace(model, module=module.eval().requires_grad_(False), tokenizer=tokenizer)
    verdicts = audit_spans(taught, [record(TEXT, *((v, "NAME") for v in VALUES))])
    said = {v.span_id: v for v in verdicts}
    written = [v for v in said.values() if v.status != "unwritable"]
    assert len(written) == 3
    assert all(v.extracted for v in written)
    assert memory(verdicts) == written
    left = uncounted(verdicts)
    assert (left.unwritable, left.written_so_far) == (2, 2)
    assert not any(v.extracted for v in verdicts if v.status == "unwritable")


def test_where_nothing_can_be_asked_it_is_said_why(model: LanguageModel) -> None:
    text = "MRN 4471203, MRN 4471203"
    spans = (Span(0, 11, "MRN", "direct"), Span(17, 24, "MRN", "direct"))
    verdicts = audit_spans(model, [Record("r", "s", text, spans)])
    assert "1 are repeated" in why_nothing([v for v in verdicts if v.status != "memory"])
    assert "no span" in why_nothing([])
