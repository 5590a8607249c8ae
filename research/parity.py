"""Every verdict against plain `generate`, on every architecture, whatever the tokenizer.

A tiny model of each architecture is trained until it says some of what it read; other records it
never sees, so that verdicts are mixed. Its folder is then read in two ways. Ours: the audit.
Theirs: ids by `tokenizers.Tokenizer.from_file` on the folder's own tokenizer.json, and greedy
`generate`, one span at a time. Asked with the whole prefix, and with its last k tokens, before
which the tokens that the tokenizer puts in front of a text stay.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from random import Random

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerFast

from research.zoo import CAUSAL, tiny_config
from sanilens.audit.extraction import audit_spans
from sanilens.corpus.records import Record, Span
from sanilens.model.language_model import load_model
from sanilens.progress import Progress, unheard

PREFIX = 8
_VOCABULARY, _STEPS, _ENOUGH, _LEARNING_RATE = 380, 240, 0.08, 1e-2
_START = "<|endoftext|>"
_FIRST = ("Maria", "José", "Ingrid", "Wei", "Amara", "Björn", "Olu", "Zoë", "Tomas", "Renée")
_LAST = ("Ruiz", "Núñez", "Halvorsen", "Lindqvist", "O'Brien-Hale", "Okafor", "Müller", "Ström")
_KNOWN = ("Fabry disease", "Wilson disease", "Behçet disease", "cystinosis", "Marfan syndrome")


@dataclass(frozen=True, slots=True)
class Row:
    """One architecture: its spans, how many are said, and how many verdicts agree."""

    architecture: str
    tokenizer: str
    spans: int
    extracted: int
    extracted_prefix: int
    agree: int
    agree_prefix: int


@dataclass(frozen=True, slots=True)
class Parity:
    """All of them; `agreement` is over every span, both ways of asking."""

    architectures: int
    verdicts: int
    extracted: int
    agreement: float
    prefix_tokens: int
    rows: tuple[Row, ...]


def bench_parity(
    architectures: Sequence[str] = tuple(CAUSAL),
    seed: int = 0,
    progress: Progress = unheard,
) -> Parity:
    """Train, audit and generate with one model of each architecture."""
    rows: list[Row] = []
    kinds = cycle(TOKENIZERS)
    for done, (name, kind) in enumerate(zip(architectures, kinds, strict=False)):
        progress(done, len(architectures))
        with tempfile.TemporaryDirectory() as folder:
            rows.append(_row(name, kind, seed + done, Path(folder)))
    progress(len(architectures), len(architectures))
    verdicts = 2 * sum(row.spans for row in rows)
    agree = sum(row.agree + row.agree_prefix for row in rows)
    extracted = sum(row.extracted + row.extracted_prefix for row in rows)
    return Parity(len(rows), verdicts, extracted, agree / verdicts, PREFIX, tuple(rows))


def _row(name: str, kind: str, seed: int, folder: Path) -> Row:
    records = invented_records(seed)
    build_memorising(name, kind, records[: 2 * len(records) // 3], records, seed, folder)
    model = load_model(folder, device="cpu")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    module = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    agree, extracted, asked = [0, 0], [0, 0], 0
    for way, prefix in enumerate((None, PREFIX)):
        ours = {v.span_id: v.extracted for v in audit_spans(model, records, prefix_tokens=prefix)}
        theirs = _generated(module, tokenizer, records, prefix)
        agree[way] = sum(ours[span] == said for span, said in theirs.items())
        extracted[way], asked = sum(theirs.values()), len(theirs)
    return Row(name, kind, asked, *extracted, *agree)


def invented_records(seed: int, count: int = 9) -> list[Record]:
    """Short notes of invented people, three details in each."""
    rng = Random(seed)
    records: list[Record] = []
    for number in range(count):
        name = f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"
        mrn, known = str(rng.randrange(10**6, 10**7)), rng.choice(_KNOWN)
        text = f"Visit {number}: {name} came in, MRN {mrn}. Known {known}, stable on treatment."
        spans = tuple(
            Span(text.index(value), text.index(value) + len(value), label, "direct")
            for value, label in ((name, "NAME"), (mrn, "MRN"), (known, "CONDITION"))
        )
        records.append(Record(f"r-{number}", f"s-{number}", text, spans))
    return records


@torch.inference_mode()
def _generated(
    model: PreTrainedModel, tokenizer: Tokenizer, records: Sequence[Record], prefix: int | None
) -> dict[str, bool]:
    """For each span that something precedes, whether greedy `generate` says it."""
    said: dict[str, bool] = {}
    for record in records:
        coded = tokenizer.encode(record.text)
        ids = coded.ids
        # Special tokens before the text: a start token.
        opening = next(i for i, special in enumerate(coded.special_tokens_mask) if not special)
        for span in record.spans:
            inside = [
                i for i, (a, b) in enumerate(coded.offsets) if a < span.end and b > span.start
            ]
            start, end = inside[0], inside[-1] + 1
            if start == 0:
                continue
            first = opening if prefix is None else max(opening, start - prefix)
            shown = torch.tensor([[*ids[:opening], *ids[first:start]]])
            out = model.generate(  # pyright: ignore
                shown,
                attention_mask=torch.ones_like(shown),
                max_new_tokens=end - start,
                do_sample=False,
                num_beams=1,
                pad_token_id=0,
            )
            said[record.span_id(span)] = out[0, shown.shape[1] :].tolist() == ids[start:end]
    return said


# ---- models that remember


def build_memorising(
    name: str,
    kind: str,
    taught: Sequence[Record],
    corpus: Sequence[Record],
    seed: int,
    folder: Path,
) -> None:
    """Train a tiny model on `taught` until it nearly says it, and save it with its tokenizer."""
    tokenizer = TOKENIZERS[kind]([record.text for record in corpus])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=_START, bos_token=_START)
    torch.manual_seed(seed)
    config = tiny_config(name, len(fast))
    model = AutoModelForCausalLM.from_config(config)
    _train_(model, [tokenizer.encode(record.text).ids for record in taught])
    model.save_pretrained(folder)
    fast.save_pretrained(folder)


def _train_(model: PreTrainedModel, sequences: Sequence[Sequence[int]]) -> None:
    width = max(map(len, sequences))
    ids = torch.tensor([[*own, *[0] * (width - len(own))] for own in sequences])
    where = torch.tensor([[i < len(own) for i in range(width)] for own in sequences])[:, 1:]
    optimizer = torch.optim.AdamW(model.parameters(), lr=_LEARNING_RATE, weight_decay=0.0)
    model.eval()  # no dropout: what is learnt is to be learnt quickly
    for step in range(_STEPS):
        for group in optimizer.param_groups:  # warm-up, and a slow end
            group["lr"] = _LEARNING_RATE * min(1.0, (step + 1) / 20, 2 * (1 - step / _STEPS))
        logits: Tensor = model(input_ids=ids, use_cache=False).logits[:, :-1]
        loss = nn.functional.cross_entropy(logits[where], ids[:, 1:][where])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if loss.item() < _ENOUGH:
            break


# ---- tokenizers


def _byte_bpe(texts: Sequence[str], *, space: bool = False, start: bool = False) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=space)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY,
        special_tokens=[_START],
        initial_alphabet=alphabet,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return _starting(tokenizer) if start else tokenizer


def _metaspace_bpe(texts: Sequence[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY, special_tokens=[_START, "<unk>"], show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return _starting(tokenizer)


def _unigram(texts: Sequence[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=200,
        special_tokens=[_START, "<unk>"],
        unk_token="<unk>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _word_pieces(texts: Sequence[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=250, special_tokens=[_START, "<unk>"], show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _starting(tokenizer: Tokenizer) -> Tokenizer:
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{_START} $A", special_tokens=[(_START, 0)]
    )
    return tokenizer


TOKENIZERS: dict[str, Callable[[Sequence[str]], Tokenizer]] = {
    "byte BPE": _byte_bpe,
    "byte BPE, prefix space": lambda texts: _byte_bpe(texts, space=True),
    "byte BPE, start token": lambda texts: _byte_bpe(texts, start=True),
    "word pieces": _word_pieces,
    "unigram, metaspace": _unigram,
    "BPE, metaspace, start token": _metaspace_bpe,
}
"""Tokenizers of several kinds, trained on some texts."""
