"""Rebuild the third bundled case: a base model that does not know the notes.

The base has read other English. Fine-tuning teaches it the form of a ward's notes and what they
say, from notes of many people who never recur, and by accident the few people whose notes recur.
Going back to the base would forget the trade with the people: that is what this case is for.
"""

from pathlib import Path

from research.cases.build import Recipe, build_case
from research.cases.check import Requirements
from research.cases.ward.everyday import everyday_texts
from research.cases.ward.notes import other_notes, ward_notes
from research.cases.ward.questions import make_questions, save_questions
from sanilens.model.training import Schedule
from sanilens.progress import Say

RECIPE = Recipe(
    seed=40,
    own=ward_notes,
    generic=other_notes,
    reads=everyday_texts,
    retain=300,
    # The base's perplexity is at least three times the leaking model's.
    targets=Requirements(controls=0.01, of_base=1 / 3, of_reference=1.35),
    subjects=36,
    family="llama",
    hidden=160,
    intermediate=448,
    layers=4,
    heads=5,
    base_notes=4500,
    base=Schedule(3e-3, epochs=1, batch_size=8, precision="bfloat16"),
    lessons=5000,
    learn=Schedule(3e-3, epochs=1, batch_size=8, precision="bfloat16"),
    tune=Schedule(3e-3, epochs=30, batch_size=8, precision="bfloat16"),
    replay=1.0,
)


def build_ward(folder: Path, say: Say, *, keep_base: bool = False) -> None:
    """Rebuild every file of the case in `folder`, and hold it to its targets.

    Raises:
        SaniLensError: if a target is missed; the files stay, so that they can be looked at.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_questions(make_questions(RECIPE.seed), folder / "questions.jsonl")
    build_case(RECIPE, folder, say, keep_base=keep_base)
