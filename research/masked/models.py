"""A small BERT on the ward's texts, trained from seeds: base, leaking and reference.

As the ward itself (research/cases/ward): the base has read everyday English, fine-tuning teaches it
what notes say, from people who never recur, and by accident those whose notes recur; the reference
reads fresh surrogates in their place. What is taught stands in gaps, many of them: one token in
seven, as BERT had it, would take a model this small four times as long.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from transformers import BertConfig, BertForMaskedLM

from research.cases.build import Recipe, build_corpora, build_tokenizer, fit_, save_float16
from research.cases.tokenizer import train_masked_tokenizer
from research.cases.ward.recipe import RECIPE as WARD
from sanilens.corpus.load import save_corpus
from sanilens.corpus.records import Record
from sanilens.corpus.surrogates.substitute import substitute
from sanilens.model.examples import note_examples
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.model.training import Example, Schedule
from sanilens.progress import Say
from sanilens.unlearn.methods.examples import gap_loss, gapped

RECIPE = replace(
    WARD,
    family="bert",
    hidden=128,
    intermediate=512,
    layers=2,
    heads=4,
    base_notes=1600,
    base=Schedule(2e-3, epochs=1, batch_size=8, precision="bfloat16"),
    lessons=3600,
    learn=Schedule(2e-3, epochs=1, batch_size=8, precision="bfloat16"),
    tune=Schedule(2e-3, epochs=260, batch_size=8, precision="bfloat16"),
    replay=0.1,
)
# Shares of gaps in what is read once, and in what recurs: whoever is to fill in a whole value by
# heart has to have missed whole ones.
_ONCE, _AGAIN = (0.3, 0.6), (0.4, 0.8)
# How far the first layer's heads lean to which side, how surely, and how much louder than usual.
_NEIGHBOURS, _SHARP, _LOUD = (-1, 1, -2, 2), 1.7, 3.5
_LAST = "tokenizer.json"
"""Of a model's files the one that is written last."""

Shares = tuple[float, ...]


def build_models(out: Path, say: Say, recipe: Recipe = RECIPE) -> None:
    """Train the three models into folders of `out`, beside the ward's texts.

    A model that is there already stays, so that a cut run goes on.
    """
    out.mkdir(parents=True, exist_ok=True)
    corpora = build_corpora(recipe)
    for name, records in corpora.items():
        save_corpus(records, out / f"{name}.jsonl")
    if not (out / "untrained" / _LAST).exists():
        untrained(recipe, out / "untrained")
    everyday = [*recipe.reads(recipe.seed + 4, recipe.base_notes)] if recipe.reads else []
    others = [*recipe.generic(recipe.seed + 5, recipe.lessons)]
    notes = corpora[recipe.corpus]

    def own(epoch: int) -> Sequence[Record]:
        return [*notes, *recipe.replayed(epoch)]

    def nobodys(epoch: int) -> Sequence[Record]:
        seed = recipe.seed * 1000 + epoch
        return [*substitute(notes, seed=seed), *recipe.replayed(epoch)]

    steps: tuple[tuple[str, str, Callable[[int], Sequence[Record]], Schedule, Shares], ...] = (
        ("base", "untrained", lambda _: everyday, recipe.base, _ONCE),
        ("lessons", "base", lambda _: others, recipe.learn, _ONCE),
        ("leaking", "lessons", own, recipe.tune, _AGAIN),
        ("reference", "lessons", nobodys, recipe.tune, _AGAIN),
    )
    for name, start, texts, schedule, shares in steps:
        if not (out / name / _LAST).exists():
            model = load_model(out / start, device="cpu")
            _fit_(model, texts, schedule, shares, recipe.seed, say, name)
            save_float16(model.module, model.tokenizer, out / name)


def untrained(recipe: Recipe, folder: Path) -> None:
    """Weights drawn from the recipe's seed, and the tokenizer that all models have."""
    tokenizer = build_tokenizer(recipe, train_masked_tokenizer)
    torch.manual_seed(recipe.seed)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.hidden,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        intermediate_size=recipe.intermediate,
        max_position_embeddings=512,
        pad_token_id=tokenizer.get_vocab()["[PAD]"],
    )
    model = BertForMaskedLM(config)
    _look_around_(model)
    save_float16(model, tokenizer, folder)


def _look_around_(model: BertForMaskedLM) -> None:
    """Begin with heads of the first layer that lean to one side, two to the left, two to the right.

    A small BERT finds out only after thousands of steps that neighbours tell of a gap. Positions
    are sinusoids; turned by an angle for each rate they are those of a neighbour.
    """
    first = model.get_submodule("bert.encoder.layer.0.attention")
    positions = model.get_parameter("bert.embeddings.position_embeddings.weight")
    places, width = positions.shape
    size = width // model.config.num_attention_heads
    rates = 10_000.0 ** (-torch.arange(0, width, 2) / width)
    angles = torch.arange(places)[:, None] * rates
    with torch.no_grad():
        sinusoids = torch.stack([angles.sin(), angles.cos()], -1).flatten(1)
        positions.copy_(2**0.5 * positions.std() * sinusoids)
        for head, step in enumerate(_NEIGHBOURS):
            key, query = torch.zeros(2, size, width)
            for k in range(0, size, 2):
                turn = float(rates[k]) * step
                at = slice(2 * k, 2 * k + 2)  # every other rate, as many as the head is wide
                key[k : k + 2, at] = torch.eye(2)
                query[k : k + 2, at] = torch.tensor(
                    [[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]]
                )
            own = slice(head * size, (head + 1) * size)
            first.get_parameter("self.key.weight")[own] = _SHARP * key
            first.get_parameter("self.query.weight")[own] = _SHARP * query
        for name in ("self.value.weight", "output.dense.weight"):
            first.get_parameter(name).mul_(_LOUD)


def _fit_(
    model: LanguageModel,
    texts: Callable[[int], Sequence[Record]],
    schedule: Schedule,
    shares: Shares,
    seed: int,
    say: Say,
    name: str,
) -> None:
    def examples(epoch: int) -> list[Example]:
        rng = np.random.default_rng((seed, epoch))
        whole = note_examples(model, texts(epoch), teach_spans=True)
        return [gapped(model, each, float(rng.choice(shares)), rng) for each in whole]

    model.module.requires_grad_(True)
    fit_(model.module, examples, schedule, seed, say, name, gap_loss)
