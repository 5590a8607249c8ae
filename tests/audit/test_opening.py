"""A model is read as it was trained: after a start token, or without, whatever its tokenizer does.

The truth is plain `generate`, from token ids that the test puts together itself.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, GPT2Config, PreTrainedTokenizerFast

from sanilens.audit.extraction import audit_spans
from sanilens.audit.opening import find_opening
from sanilens.audit.passages import make_passages
from sanilens.audit.utility import text_logprobs
from sanilens.corpus.records import Record, Span
from sanilens.model.align import encode, prompt_ids
from sanilens.model.generation import continue_text
from sanilens.model.subject import SubjectModel, load_model
from sanilens.unlearn.methods.examples import note_examples
from sanilens.unlearn.methods.written import base_texts
from sanilens.unlearn.training import Example, Schedule, train_
from tests.conftest import TEXTS, VOCABULARY, make_tokenizer

START = 0  # <|endoftext|>
_PREFIX = 9
TRAINED = {"with": (START,), "without": ()}


def _memorised() -> list[Record]:
    found = []
    for number, who in enumerate(("Ann", "Bob", "Cid", "Eve")):
        mrn, phone = str((4471203 * (number + 3)) % 9999991), f"{number}71-09{number}8"
        text = f"Seen well. {who} MRN {mrn}; {who} call {phone}."
        at, to = text.index(mrn), text.index(phone)
        spans = (
            Span(at, at + len(mrn), "MRN", "direct"),
            Span(to, to + len(phone), "PHONE", "direct"),
        )
        found.append(Record(f"r-{number}", f"s-{number}", text, spans))
    return found


MEMORISED = _memorised()


def _texts(tokenizer: PreTrainedTokenizerFast) -> list[list[int]]:
    return [tokenizer(r.text, add_special_tokens=False)["input_ids"] for r in MEMORISED]  # pyright: ignore


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, bool], Path]:
    """A GPT-2 that knows the records by heart, trained with or without a start token, and a
    tokenizer that puts one or not."""
    root, models = tmp_path_factory.mktemp("opening"), {}

    def folder(trained: str, puts: bool) -> Path:
        tokenizer = make_tokenizer(bos=puts)
        if trained not in models:
            models[trained] = _trained(tokenizer, TRAINED[trained])
        made = root / f"{trained}-{puts}"
        models[trained].save_pretrained(made)
        tokenizer.save_pretrained(made)
        return made

    return folder


def _trained(tokenizer: PreTrainedTokenizerFast, opening: tuple[int, ...]) -> torch.nn.Module:
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=VOCABULARY, n_embd=48, n_layer=2, n_head=4, n_positions=96,
        bos_token_id=START, eos_token_id=START,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_config(config).eval()
    # From some tokens before each span too, so that a short prefix is a question it was asked.
    cut = [(*opening, *ids) for ids in _texts(tokenizer)]
    for record, ids in zip(MEMORISED, _texts(tokenizer), strict=True):
        for span in record.spans:
            before = tokenizer(record.text[: span.start], add_special_tokens=False)
            cut.append((*opening, *ids[len(before["input_ids"]) - _PREFIX :]))  # pyright: ignore
    examples = [Example(ids, (True,) * len(ids)) for ids in cut]
    for _ in train_(model, lambda _: examples, Schedule(6e-3, 50, 6), seed=0):
        pass
    return model


def _by_hand(folder: Path, opening: tuple[int, ...], k: int | None) -> dict[str, bool]:
    """Whether `generate` says each span after the opening and (the last k of) its prefix."""
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    said = {}
    for record in MEMORISED:
        read = tokenizer.encode(record.text, add_special_tokens=False)
        for span in record.spans:
            at = [i for i, (a, b) in enumerate(read.offsets) if a < span.end and b > span.start]
            prefix = [*opening, *read.ids[: at[0]][-k if k else None :]]
            ids = torch.tensor([prefix])
            out = model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=len(at),
                min_new_tokens=len(at), do_sample=False, pad_token_id=0,
            )  # fmt: skip
            want = read.ids[at[0] : at[-1] + 1]
            said[record.span_id(span)] = out[0, len(prefix) :].tolist() == want
    return said


@pytest.mark.parametrize("puts", [True, False])
@pytest.mark.parametrize("trained", TRAINED)
@pytest.mark.parametrize("k", [None, _PREFIX])
def test_the_audit_says_what_generate_does_as_it_was_trained(
    folders: Callable[[str, bool], Path], trained: str, puts: bool, k: int | None
) -> None:
    folder = folders(trained, puts)
    plain = load_model(folder)
    opening = find_opening(plain, MEMORISED)
    assert opening.chosen.tokens == TRAINED[trained]
    assert opening.changed == (puts != (trained == "with"))
    verdicts = audit_spans(opening.of(plain), MEMORISED, prefix_tokens=k)
    truth = _by_hand(folder, TRAINED[trained], k)
    assert {v.span_id: v.extracted for v in verdicts} == truth
    assert sum(truth.values()) >= 7
    if opening.changed:
        assert opening.chosen.perplexity < opening.own.perplexity
        assert f"{opening.chosen.perplexity:.2f} so" in opening.sentence
        assert "<|endoftext|>" in opening.sentence
        otherwise = audit_spans(plain, MEMORISED, prefix_tokens=k)
        assert sum(v.extracted for v in otherwise) < sum(truth.values())
