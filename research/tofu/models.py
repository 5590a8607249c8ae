"""Small models for TOFU, trained from its files alone: base, leaking and reference.

TOFU fine-tunes a language model of billions of weights; where there is none, its part is played
by a small one that learned to read from most of the authors that stay. `base` has read these;
`leaking` is fine-tuned on twenty more authors that stay (the questions that TOFU's utility is
measured on) and on the forget set; `reference` on those twenty only. So `leaking` has read the
whole of `full`, and `reference` the whole of `retain95`, with the same training otherwise.
`reference-1` and so on are it once more, with other draws: how far two models that never read the
forget set are apart is the most that can be asked of one that forgot it.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from research.cases.build import Recipe, build_base, build_tokenizer, fine_tune, save_float16
from research.tofu.data import TUNED, open_tofu, to_records
from sanilens.corpus.load import save_corpus
from sanilens.corpus.records import Record
from sanilens.model.training import Schedule
from sanilens.progress import Say

_LAST = "tokenizer.json"
"""Of a model's files the one that is written last."""

_APART = 100
"""Between the seeds of references: a seed's draws are those of its next too, an epoch later."""

RECIPE = Recipe(
    seed=50,
    vocabulary=2048,
    hidden=96,
    intermediate=384,
    layers=3,
    heads=4,
    base=Schedule(3e-3, epochs=1, batch_size=8),
    tune=Schedule(3e-3, epochs=20, batch_size=8),
    replay=0.1,
)


def build_models(
    data: Path, out: Path, say: Say, recipe: Recipe = RECIPE, references: int = 0
) -> None:
    """Train the three models into folders of `out`, beside the corpora they were tuned on.

    A model that is there already stays, so that a cut run goes on. `references` are how many
    further ones are fine-tuned from the same base.

    `out/forget.jsonl` holds the forget set with its answers as spans, `out/retain.jsonl` the
    questions that stay, without spans: what `sanilens audit`, `plan` and `run` take.

    Raises:
        CorpusError: if a file is missing or malformed.
    """
    tofu = open_tofu(data)
    forget = to_records(tofu.forget, "forget", sensitive=True)
    retain = to_records(tofu.kept, "retain", sensitive=False)
    tuned, language = retain[:TUNED], retain[TUNED:]
    recipe = replace(recipe, generic=partial(_draw, language), base_notes=len(language))
    out.mkdir(parents=True, exist_ok=True)
    save_corpus(forget, out / "forget.jsonl")
    save_corpus(tuned, out / "retain.jsonl")
    if not (out / "base" / _LAST).exists():
        tokenizer = build_tokenizer(recipe)
        save_float16(build_base(recipe, tokenizer, say), tokenizer, out / "base")
    tokenizer = PreTrainedTokenizerFast.from_pretrained(out / "base")
    base = AutoModelForCausalLM.from_pretrained(out / "base", dtype=torch.float32)
    models = {"leaking": ((*tuned, *forget), recipe.seed), "reference": (tuned, recipe.seed)}
    for number in range(1, references + 1):
        models[f"reference-{number}"] = (tuned, recipe.seed + _APART * number)
    for name, (read, seed) in models.items():
        if (out / name / _LAST).exists():
            continue
        # Its replay is a share of what it reads.
        own = replace(recipe, seed=seed, own=lambda *_, read=read: read)
        model = fine_tune(own, base, tokenizer, lambda _, read=read: read, say, name)
        save_float16(model, tokenizer, out / name)


def _draw(records: tuple[Record, ...], seed: int, count: int) -> list[Record]:
    order = np.random.default_rng(seed).permutation(len(records))[:count]
    return [records[i] for i in order]
