"""Streams of text: they equal `generate`, keep nobody waiting, and never see another's hooks."""

import threading
from collections.abc import Generator
from itertools import pairwise, zip_longest

import pytest
import torch
from transformers import GenerationConfig

from sanilens.model.generation import continue_text, draw, stream_text
from sanilens.model.hooks import NO_HOOKS, Hooks, hooked, model_lock
from sanilens.model.interventions import zeroed
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import Neuron

# On this the random GPT-NeoX says three things under the three kinds of hooks below.
PROMPT = "Follow-up by phone: the number is"
TOKENS = 12


def without(model: LanguageModel, layer: int) -> Hooks:
    return zeroed(model, [Neuron(layer, i) for i in range(48)])


def generated(model: LanguageModel, hooks: Hooks) -> str:
    ids = model.tokenizer(PROMPT, return_tensors="pt")["input_ids"]
    config = GenerationConfig(
        max_new_tokens=TOKENS, do_sample=False, eos_token_id=0, pad_token_id=0
    )
    with hooked(model.module, hooks):
        out = model.module.generate(  # pyright: ignore
            ids, attention_mask=torch.ones_like(ids), generation_config=config
        )
    text = str(model.tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True))
    return text.rstrip("\N{REPLACEMENT CHARACTER}")


def test_greedy_equals_generate(any_model: LanguageModel) -> None:
    for hooks in (NO_HOOKS, without(any_model, 1)):
        assert continue_text(any_model, PROMPT, TOKENS, hooks=hooks) == generated(any_model, hooks)


def test_every_step_goes_on_from_the_last(model: LanguageModel) -> None:
    texts = list(stream_text(model, PROMPT, TOKENS))
    assert len(texts) == TOKENS
    assert all(later.startswith(text) for text, later in pairwise(texts))


def test_a_prompt_of_nothing_and_one_that_is_too_long(model: LanguageModel) -> None:
    assert continue_text(model, "", 4, temperature=1.0) == "_>"  # and the text's end
    long = "the wound is dry " * 200
    ids = model.tokenizer(long)["input_ids"][-(model.max_tokens - 4) :]
    end = str(model.tokenizer.decode(ids))
    assert continue_text(model, long, 4) == continue_text(model, end, 4)


def test_draws_follow_the_softmax() -> None:
    logits = torch.tensor([1.0, 0.0, -1.0, 2.0])
    generator = torch.Generator().manual_seed(0)
    n = 4000
    drawn = torch.tensor([draw(logits, 0.7, generator) for _ in range(n)])
    shares = torch.bincount(drawn, minlength=4) / n
    p = (logits / 0.7).softmax(0)
    assert torch.all((shares - p).abs() < 4 * (p * (1 - p) / n).sqrt())
    assert draw(logits, 0.0, generator) == 3


def test_a_seed_gives_one_text_and_another_seed_another(model: LanguageModel) -> None:
    def sampled(seed: int) -> str:
        return continue_text(model, PROMPT, TOKENS, temperature=1.5, seed=seed)

    before = torch.random.get_rng_state()
    assert sampled(1) == sampled(1) != sampled(2)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_interleaved_streams_are_as_each_alone(model: LanguageModel, temperature: float) -> None:
    kinds = (NO_HOOKS, without(model, 0), without(model, 2))
    how = {"temperature": temperature, "seed": 0}
    alone = [continue_text(model, PROMPT, TOKENS, hooks=hooks, **how) for hooks in kinds]
    assert len(set(alone)) == len(kinds)
    streams = [stream_text(model, PROMPT, TOKENS, hooks=hooks, **how) for hooks in kinds]
    texts = list(zip_longest(*streams))
    assert [
        [t for t in column if t is not None][-1] for column in zip(*texts, strict=True)
    ] == alone


def test_streams_in_threads_are_as_each_alone(model: LanguageModel) -> None:
    """Every thread stands between two of its tokens while the others go on."""
    kinds = (NO_HOOKS, without(model, 0), without(model, 2))
    alone = [continue_text(model, PROMPT, TOKENS, hooks=hooks) for hooks in kinds]
    meeting = threading.Barrier(len(kinds), timeout=60)
    found: dict[int, str] = {}

    def read(number: int) -> None:
        stream = stream_text(model, PROMPT, TOKENS, hooks=kinds[number])
        for _ in range(TOKENS):
            found[number] = next(stream, found.get(number, ""))
            meeting.wait()

    threads = [threading.Thread(target=read, args=(n,)) for n in range(len(kinds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[n] for n in range(len(kinds))] == alone


def test_a_stream_that_waits_holds_nobody_up(model: LanguageModel) -> None:
    stream = stream_text(model, PROMPT, TOKENS, hooks=without(model, 1))
    assert isinstance(stream, Generator)
    next(stream)
    took: list[bool] = []

    def other() -> None:
        took.append(model_lock(model.module).acquire(blocking=False))
        if took[0]:
            model_lock(model.module).release()

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert took == [True]
    ids = model.tokenizer(PROMPT, return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        between = model.module(ids).logits
        stream.close()
        assert torch.equal(model.module(ids).logits, between)
        with hooked(model.module, without(model, 1)):
            assert not torch.equal(model.module(ids).logits, between)
