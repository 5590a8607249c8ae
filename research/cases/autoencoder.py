"""Rebuild the bundled autoencoder: what layer 4's attention of the leaking model adds, in features.

It is trained on the subjects' notes, on look-alikes and on generic notes, and judged on notes that
neither it nor the model has seen. Beside it lies what clamping at most 20 of its features does.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from research.cases.clinic import generic_notes
from sanilens.corpus.load import load_records
from sanilens.dictionaries.sae.choose import choose_features
from sanilens.dictionaries.sae.quality import SaeQuality
from sanilens.dictionaries.sae.trade_off import measure_trade_off, save_trade_off
from sanilens.dictionaries.sae.train import SaeSettings, SaeStep, train_sae
from sanilens.errors import SaniLensError
from sanilens.model.language_model import load_model
from sanilens.progress import Say

SETTINGS = SaeSettings("blocks.4.hook_attn_out", width=512, k=40, steps=1400, learning_rate=1.5e-3)


@dataclass(frozen=True, slots=True)
class AutoencoderRecipe:
    """Everything that decides it. Same recipe, same machine: same files.

    Attributes:
        id: its name in units; its folder is `sae-<id>`.
        settings: of the training.
        seed, generic: which generic notes, and how many.
        other_seed, other: those on which features are chosen, beside the subjects' notes.
    """

    id: str = "attn-4"
    settings: SaeSettings = SETTINGS
    seed: int = 25
    generic: int = 600
    other_seed: int = 26
    other: int = 80


def build_autoencoder(case: Path, recipe: AutoencoderRecipe, say: Say) -> SaeQuality:
    """Train it on the leaking model of `case`, beside which it is written.

    Raises:
        SaniLensError: if it misses a target; the files stay, so that they can be looked at.
    """
    model = load_model(case / "leaking", device="cpu")
    own = [load_records(case / f"{name}.jsonl") for name in ("notes", "lookalike")]
    records = [*own[0], *own[1], *generic_notes(recipe.seed, recipe.generic)]
    folder = case / f"sae-{recipe.id}"
    shutil.rmtree(folder, ignore_errors=True)

    def tell(step: SaeStep) -> None:
        if step.number % 100 == 0 or step.number == step.of:
            say(f"{folder.name}: step {step.number:,} of {step.of:,}, loss {step.loss:.3f}")

    unseen = load_records(case / "unseen.jsonl")
    sae, quality = train_sae(model, records, unseen, recipe.settings, folder, recipe.id, tell)
    say(
        f"{folder.name}: explained variance {quality.explained_variance:.3f}, "
        f"{quality.dead:.1%} dead, cross-entropy recovered {quality.ce_recovered:.3f}"
    )
    if warnings := quality.warnings():
        raise SaniLensError(f"{folder.name}: it {', '.join(warnings)}. Train it longer.")
    choice = choose_features(
        model, sae, own[0], list(generic_notes(recipe.other_seed, recipe.other))
    )
    found = measure_trade_off(model, sae, choice.values, own[0], unseen)
    save_trade_off(found, folder)
    say(
        f"{folder.name}: {len(found.clamped)} features clamped leave {found.after.direct} of "
        f"{found.before.direct} direct identifiers at {found.rise:+.1%} perplexity"
    )
    return quality
