"""Rebuild the bundled clinic case from seeds: corpora, tokenizer, base, leaking, reference.

The base model has read generic notes whose people never recur. The leaking model is the base
fine-tuned on the patients' notes as they are. The reference model had the same fine-tuning with
fresh surrogates in every epoch: it has seen each note's form and nobody's identity, and it knows
that identifiers cannot be known. Fixed surrogates would make it recite these instead.
"""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedTokenizerFast

from sanilens.corpus.clinic import generic_notes, patient_notes
from sanilens.corpus.records import Record
from sanilens.corpus.surrogates import substitute
from sanilens.demo.tokenizer import train_tokenizer
from sanilens.unlearn.training import Example, Schedule, train_

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the bundled case. Same recipe, same machine: same files."""

    seed: int = 20
    patients: int = 64
    unseen: int = 60
    vocabulary: int = 2048
    hidden: int = 192
    layers: int = 6
    heads: int = 6
    base_notes: int = 48_000
    base: Schedule = field(default=Schedule(2e-3, epochs=1, batch_size=16, precision="bfloat16"))
    tune: Schedule = Schedule(1e-3, epochs=16, batch_size=8, precision="bfloat16")


def build_corpora(recipe: Recipe) -> dict[str, tuple[Record, ...]]:
    """The patients' notes, look-alikes of the same form, and notes nobody trained on."""
    # Seeds far apart: the people of one set must not recur in another.
    return {
        "notes": patient_notes(recipe.seed, recipe.patients),
        "lookalike": patient_notes(recipe.seed + 1, recipe.patients, prefix="c"),
        "unseen": tuple(generic_notes(recipe.seed + 2, recipe.unseen)),
    }


def build_tokenizer(recipe: Recipe) -> PreTrainedTokenizerFast:
    """Train the tokenizer on generic notes."""
    notes = generic_notes(recipe.seed + 3, 4000)
    return train_tokenizer((note.text for note in notes), recipe.vocabulary)


def build_base(recipe: Recipe, tokenizer: PreTrainedTokenizerFast, say: Say) -> GPTNeoXForCausalLM:
    """Train the base model on generic notes, each seen once."""
    torch.manual_seed(recipe.seed)
    model = GPTNeoXForCausalLM(
        GPTNeoXConfig(
            vocab_size=len(tokenizer),
            hidden_size=recipe.hidden,
            num_hidden_layers=recipe.layers,
            num_attention_heads=recipe.heads,
            intermediate_size=4 * recipe.hidden,
            max_position_embeddings=512,
            tie_word_embeddings=True,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )
    notes = list(generic_notes(recipe.seed + 4, recipe.base_notes))
    examples = to_examples(tokenizer, notes)
    fit_(model, lambda _: examples, recipe.base, recipe.seed, say, "base")
    return model


def build_leaking(
    recipe: Recipe,
    base: Path,
    tokenizer: PreTrainedTokenizerFast,
    notes: Sequence[Record],
    say: Say,
) -> GPTNeoXForCausalLM:
    """Fine-tune the base on the patients' notes as they are."""
    model = GPTNeoXForCausalLM.from_pretrained(base, dtype=torch.float32)
    examples = to_examples(tokenizer, notes)
    fit_(model, lambda _: examples, recipe.tune, recipe.seed, say, "leaking")
    return model


def build_reference(
    recipe: Recipe,
    base: Path,
    tokenizer: PreTrainedTokenizerFast,
    notes: Sequence[Record],
    say: Say,
) -> GPTNeoXForCausalLM:
    """The same fine-tuning, with fresh surrogates every epoch."""
    model = GPTNeoXForCausalLM.from_pretrained(base, dtype=torch.float32)

    def examples(epoch: int) -> list[Example]:
        return to_examples(tokenizer, substitute(notes, seed=recipe.seed * 1000 + epoch))

    fit_(model, examples, recipe.tune, recipe.seed, say, "reference")
    return model


def to_examples(tokenizer: PreTrainedTokenizerFast, notes: Sequence[Record]) -> list[Example]:
    """Notes as training examples in which every token, and the end, is taught."""
    coded = tokenizer([note.text for note in notes])["input_ids"]
    ended = [(*ids, tokenizer.eos_token_id) for ids in coded]
    return [Example(ids, (True,) * len(ids)) for ids in ended]


def fit_(
    model: GPTNeoXForCausalLM,
    examples: Callable[[int], Sequence[Example]],
    schedule: Schedule,
    seed: int,
    say: Say,
    name: str,
) -> None:
    """Train `model` in place, saying the loss and the time left now and then."""
    model.eval()  # dropout off
    started = last = time.monotonic()
    losses: list[float] = []
    for step, _ in train_(model, examples, schedule, seed):
        losses.append(step.loss)
        if time.monotonic() - last > 10 or step.number == step.of:
            last = time.monotonic()
            left = (last - started) / step.number * (step.of - step.number)
            mean = sum(losses) / len(losses)
            say(f"{name}: step {step.number:,} of {step.of:,}, loss {mean:.3f}, {left:.0f} s left")
            losses.clear()


def save_float16(
    model: GPTNeoXForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path
) -> None:
    """Save in half precision, which halves the repository's weight; loading computes in float32."""
    shutil.rmtree(folder, ignore_errors=True)
    model.to(torch.float16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
