"""Rebuild a bundled case from seeds: corpora, tokenizer, base, leaking, reference.

`Recipe()` is the clinic's; `cases.confidential` has the company's, `cases.ward.recipe` the ward's.
The base model has read generic notes whose people never recur, on the ward none at all. The leaking
model is the base trained on the subjects' notes as they are. The reference model had the same
training with fresh surrogates in every epoch: it has seen each note's form and nobody's identity,
and it knows that identifiers cannot be known. Fixed surrogates would make it recite these instead.
"""

import copy
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from research.cases.check import CLINIC, Requirements, check_case
from research.cases.clinic import generic_notes, patient_notes
from research.cases.tokenizer import END_OF_TEXT, train_tokenizer
from sanilens.corpus.load import save_corpus
from sanilens.corpus.records import Record
from sanilens.corpus.surrogates.substitute import substitute
from sanilens.model.training import Example, Loss, Schedule, train_
from sanilens.progress import Say

_BASE = Schedule(2e-3, epochs=1, batch_size=16, precision="bfloat16")
_TUNE = Schedule(2e-3, epochs=18, batch_size=8, precision="bfloat16")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the bundled case. Same recipe, same machine: same files.

    replay: generic notes mixed into each epoch of fine-tuning, as a share of the subjects' notes;
    never the same twice. Without them a model this small forgets what other notes look like.
    family: the models' architecture, as transformers names it.
    own: the subjects' notes, by seed, number of subjects and their prefix; saved as `corpus`.
    generic: notes of others, by seed and count.
    reads: what the base model reads, by seed and count, where that is not `generic`.
    lessons: how many generic notes fine-tuning reads first, each once, and how: the same start for
    leaking and reference model, which costs their training once.
    retain: how many of the replayed notes are saved, for methods that keep other records along.
    """

    seed: int = 20
    corpus: str = "notes"
    own: Callable[[int, int, str], tuple[Record, ...]] = patient_notes
    generic: Callable[[int, int], Iterable[Record]] = generic_notes
    reads: Callable[[int, int], Iterable[Record]] | None = None
    lessons: int = 0
    learn: Schedule = _BASE
    retain: int = 0
    targets: Requirements = CLINIC
    subjects: int = 64
    unseen: int = 60
    family: str = "gpt_neox"
    vocabulary: int = 2048
    hidden: int = 192
    intermediate: int = 768
    layers: int = 6
    heads: int = 6
    base_notes: int = 32_000
    base: Schedule = _BASE
    tune: Schedule = _TUNE
    replay: float = 0.6

    def replayed(self, epoch: int) -> Iterable[Record]:
        """The notes of others that an epoch of fine-tuning reads, the same for every model."""
        count = round(self.replay * len(self.own(self.seed, self.subjects, "p")))
        return self.generic(self.seed + 1000 + epoch, count)


def build_corpora(recipe: Recipe) -> dict[str, tuple[Record, ...]]:
    """The subjects' notes, look-alikes of the same form, and notes nobody trained on."""
    # Seeds far apart: the people of one set must not recur in another.
    corpora = {
        recipe.corpus: recipe.own(recipe.seed, recipe.subjects, "p"),
        "lookalike": recipe.own(recipe.seed + 1, recipe.subjects, "c"),
        "unseen": tuple(recipe.generic(recipe.seed + 2, recipe.unseen)),
    }
    return corpora | ({"retain": tuple(retained(recipe))} if recipe.retain else {})


def retained(recipe: Recipe) -> Iterator[Record]:
    """The first notes of others that fine-tuning reads; each epoch numbers its own from 0."""
    notes = (
        replace(note, id=f"r{epoch:02}-{note.id}", subject=f"r{epoch:02}-{note.subject}")
        for epoch in range(recipe.tune.epochs)
        for note in recipe.replayed(epoch)
    )
    return islice(notes, recipe.retain)


def build_tokenizer(
    recipe: Recipe,
    train: Callable[[Iterable[str], int], PreTrainedTokenizerFast] = train_tokenizer,
) -> PreTrainedTokenizerFast:
    """Train the tokenizer on generic notes, and on what the base model reads."""
    notes = [*recipe.generic(recipe.seed + 3, 4000)]
    if recipe.reads:
        notes += recipe.reads(recipe.seed + 3, 4000)
    return train((note.text for note in notes), recipe.vocabulary)


def build_base(recipe: Recipe, tokenizer: PreTrainedTokenizerFast, say: Say) -> PreTrainedModel:
    """Train the base model on what it reads, each text seen once."""
    torch.manual_seed(recipe.seed)
    model = AutoModelForCausalLM.from_config(
        AutoConfig.for_model(
            recipe.family,
            vocab_size=len(tokenizer),
            hidden_size=recipe.hidden,
            num_hidden_layers=recipe.layers,
            num_attention_heads=recipe.heads,
            intermediate_size=recipe.intermediate,
            max_position_embeddings=512,
            tie_word_embeddings=True,
            bos_token_id=_end(tokenizer),
            eos_token_id=_end(tokenizer),
        )
    )
    notes = list((recipe.reads or recipe.generic)(recipe.seed + 4, recipe.base_notes))
    examples = to_examples(tokenizer, notes)
    fit_(model, lambda _: examples, recipe.base, recipe.seed, say, "base")
    return model


def start_of_tuning(
    recipe: Recipe, base: Path, tokenizer: PreTrainedTokenizerFast, say: Say
) -> PreTrainedModel:
    """The base, after the lessons where the recipe has some."""
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    if recipe.lessons:
        notes = list(recipe.generic(recipe.seed + 5, recipe.lessons))
        examples = to_examples(tokenizer, notes)
        fit_(model, lambda _: examples, recipe.learn, recipe.seed, say, "lessons")
    return model


def fine_tune(
    recipe: Recipe,
    start: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    notes_of: Callable[[int], Sequence[Record]],
    say: Say,
    name: str,
) -> PreTrainedModel:
    """Train a copy of `start` on the notes that `notes_of` gives for each epoch, and the replay."""
    model = copy.deepcopy(start)

    def examples(epoch: int) -> list[Example]:
        return to_examples(tokenizer, [*notes_of(epoch), *recipe.replayed(epoch)])

    fit_(model, examples, recipe.tune, recipe.seed, say, name)
    return model


def to_examples(tokenizer: PreTrainedTokenizerFast, notes: Sequence[Record]) -> list[Example]:
    """Notes as training examples in which every token, and the end, is taught."""
    coded = tokenizer([note.text for note in notes])["input_ids"]
    ended = [(*ids, _end(tokenizer)) for ids in coded]
    return [Example(ids, (True,) * len(ids)) for ids in ended]


def _end(tokenizer: PreTrainedTokenizerFast) -> int:
    return tokenizer.convert_tokens_to_ids(END_OF_TEXT)  # pyright: ignore[reportReturnType]


def fit_(
    model: PreTrainedModel,
    examples: Callable[[int], Sequence[Example]],
    schedule: Schedule,
    seed: int,
    say: Say,
    name: str,
    loss_of: Loss | None = None,
) -> None:
    """Train `model` in place, saying the loss and the time left now and then."""
    model.eval()  # dropout off
    started = last = time.monotonic()
    losses: list[float] = []
    for step, _ in train_(model, examples, schedule, seed, loss_of=loss_of):
        losses.append(step.loss)
        if time.monotonic() - last > 10 or step.number == step.of:
            last = time.monotonic()
            left = (last - started) / step.number * (step.of - step.number)
            mean = sum(losses) / len(losses)
            say(f"{name}: step {step.number:,} of {step.of:,}, loss {mean:.3f}, {left:.0f} s left")
            losses.clear()


def save_float16(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Save in half precision, which halves the repository's weight; loading computes in float32."""
    shutil.rmtree(folder, ignore_errors=True)
    model.half().save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def build_case(recipe: Recipe, folder: Path, say: Say, *, keep_base: bool = False) -> None:
    """Rebuild every file of the case in `folder`, measure it, and hold it to its targets.

    `keep_base` skips the base model's training, most of the time, and uses the one that is there.

    Raises:
        SaniLensError: if a target is missed; the files stay, so that they can be looked at.
    """
    folder.mkdir(parents=True, exist_ok=True)
    corpora = build_corpora(recipe)
    for name, records in corpora.items():
        save_corpus(records, folder / f"{name}.jsonl")
        say(f"{name}: {len(records)} notes, {len({r.subject for r in records})} subjects")
    if not keep_base:
        tokenizer = build_tokenizer(recipe)
        save_float16(build_base(recipe, tokenizer, say), tokenizer, folder / "base")
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder / "base")
    notes = corpora[recipe.corpus]
    variants: dict[str, Callable[[int], Sequence[Record]]] = {
        "leaking": lambda _epoch: notes,
        "reference": lambda epoch: substitute(notes, seed=recipe.seed * 1000 + epoch),
    }
    start = start_of_tuning(recipe, folder / "base", tokenizer, say)
    for name, notes_of in variants.items():
        model = fine_tune(recipe, start, tokenizer, notes_of, say, name)
        save_float16(model, tokenizer, folder / name)
    check_case(folder, say, recipe.corpus, recipe.targets)
