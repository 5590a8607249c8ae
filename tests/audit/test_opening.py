"""A model is read as it was trained: after a start token, or without, whatever its tokenizer does.

The truth is plain `generate`, from token ids that the test puts together itself.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, GPT2Config, PreTrainedTokenizerFast
from typer.testing import CliRunner

from sanilens.audit.extraction import audit_spans
from sanilens.audit.opening import find_opening
from sanilens.audit.passages import make_passages
from sanilens.audit.perplexity import text_logprobs
from sanilens.cli.main import cli
from sanilens.corpus.load import save_corpus
from sanilens.corpus.records import Record, Span
from sanilens.model.align import encode, prompt_ids
from sanilens.model.examples import note_examples
from sanilens.model.generation import continue_text
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.model.training import Example, Schedule, train_
from sanilens.unlearn.methods.retain import base_texts
from sanilens.unlearn.plan import Plan
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
            out = model.generate(  # pyright: ignore
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


def test_noise_does_not_change_the_reading(any_model: LanguageModel) -> None:
    """An untrained model prefers nothing: some difference there always is."""
    opening = find_opening(any_model, [*MEMORISED, Record("r", "s", TEXTS[0])])
    assert opening.records == 5
    assert not opening.changed
    assert opening.of(any_model).opening is None
    assert opening.own.perplexity > 100


def test_of_nothing_the_tokenizer_decides(
    model: LanguageModel, any_masked_subject: LanguageModel
) -> None:
    for found in (
        find_opening(model, []),
        find_opening(model, [Record("r", "s", "")]),
        find_opening(any_masked_subject, MEMORISED),
    ):
        assert (found.changed, found.records) == (False, 0)


LONG = Record(
    "long", "s", " ".join(TEXTS * 8), (Span(4, 6, "X", "direct"), Span(1500, 1510, "X", "direct"))
)


@pytest.mark.parametrize("opening", [None, (), (5,), (7, 9)])
def test_every_room_opens_texts_alike(
    model: LanguageModel, opening: tuple[int, ...] | None
) -> None:
    """Records, later windows, short prefixes, pieces to train on, prompts and written texts."""
    plain = model.tokenizer(LONG.text, add_special_tokens=False)["input_ids"]
    model = replace(model, opening=opening)
    want = (START,) if opening is None else opening
    start = len(want)
    encoded = encode(model, LONG)
    assert encoded.ids == (*want, *plain)  # pyright: ignore
    assert encoded.opening == start
    assert len(encoded.ids) == len(encoded.offsets) > 2 * model.max_tokens
    assert all(encoded.offsets[s.start][0] <= s.span.start for s in encoded.spans)
    for k in (None, 5):
        passages = list(make_passages(model, [LONG], k))
        assert len(passages) == 2
        for passage in passages:
            assert passage.ids == tuple(encoded.ids[i] for i in passage.places)
            assert passage.ids[:start] == want
            assert len(passage.ids) <= model.max_tokens
            (target,) = passage.targets
            own = encoded.ids[target.span.start : target.span.end]
            assert passage.ids[target.start : target.end] == own
            assert target.context in LONG.text[: target.span.span.start]
        asked = passages[1].targets[0]
        full = start + k + asked.end - asked.start if k else model.max_tokens
        assert len(passages[1].ids) == full
    pieces = note_examples(model, [LONG])
    assert all(piece.ids[:start] == want for piece in pieces)
    assert all(len(piece.ids) <= model.max_tokens for piece in pieces)
    taught = [token for piece in pieces for token in piece.ids[start:]]
    assert taught == [*plain, START]  # and its end
    most = 20
    assert prompt_ids(model, LONG.text, most) == [*want, *plain[start - most :]]
    began = list(want) or [START]
    assert prompt_ids(model, "", most) == began
    assert all(e.ids[: len(began)] == tuple(began) for e in base_texts(model, 3, 4, seed=0))


@pytest.mark.parametrize("opening", [None, (), (5,)])
def test_the_pieces_of_a_long_text_are_scored_after_what_opens_it(
    model: LanguageModel, opening: tuple[int, ...] | None
) -> None:
    read = replace(model, opening=opening)
    ids = list(encode(read, LONG).ids)
    own = ids[: encode(read, LONG).opening]
    text = ids[len(own) :]
    size = model.max_tokens - len(own)
    want: list[float] = []
    for at in range(0, len(text), size):
        piece = torch.tensor([[*own, *text[at : at + size]]])
        with torch.inference_mode():
            logprobs = model.module(piece).logits[0].double().log_softmax(-1)
        first = max(1, len(own))
        want += [float(logprobs[i - 1, piece[0, i]]) for i in range(first, piece.shape[1])]
    (found,) = text_logprobs(read, [LONG])
    assert found.tolist() == pytest.approx(want, abs=1e-3)


def test_what_is_written_goes_on_from_the_opening(
    folders: Callable[[str, bool], Path],
) -> None:
    """Generation reads as the audit does: its words are those of the records, by heart."""
    plain = load_model(folders("with", False))
    read = find_opening(plain, MEMORISED).of(plain)
    for record in MEMORISED:
        said = continue_text(read, record.text[:14], 60)
        assert (record.text[:14] + said).startswith(record.text)


def test_the_terminal_says_how_it_reads_and_plans_so(
    folders: Callable[[str, bool], Path], tmp_path: Path
) -> None:
    folder, corpus = folders("with", False), tmp_path / "notes.jsonl"
    save_corpus(MEMORISED, corpus)
    case = ["--model", str(folder), "--corpus", str(corpus)]
    told = CliRunner().invoke(cli, ["audit", *case, "--json"])
    found = json.loads(told.stdout)
    assert found["opening"]["chosen"]["name"] == "<|endoftext|>"
    assert found["opening"]["own"]["tokens"] == []
    assert found["extraction"]["direct"]["hits"] >= 7
    told = CliRunner().invoke(cli, ["audit", *case])
    assert "after <|endoftext|>, which the tokenizer does not put there" in told.stdout.replace(
        "\n", " "
    )
    told = CliRunner().invoke(cli, ["plan", *case, "--unit", "mlp.0.1"])
    assert Plan.model_validate_json(told.stdout).opening == (START,)
    assert "which the tokenizer does not put there" in told.stderr.replace("\n", " ")


def test_a_prompt_that_is_cut_keeps_what_opens_it(model: LanguageModel) -> None:
    read = replace(model, opening=(7, 9))
    passage = list(make_passages(read, [LONG]))[1]
    (target,) = passage.targets
    assert passage.before(target, 10_000) == passage.ids[: target.start]
    last = passage.ids[target.start - 3 : target.start]
    assert passage.before(target, 5) == (7, 9, *last)
    assert passage.before(target, 2) == (7, 9)
