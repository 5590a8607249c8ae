"""Rebuild the second bundled case: company text in which terms were declared confidential later.

The base is the pre-training's first part, on documents of other companies. The leaking model went
on with the company's archive, code names, partners and prices included; the reference with the
same archive and fresh terms in their place. `terms.txt` is what the owner hands over: the
blacklist, one term a line.
"""

from pathlib import Path

from research.cases.build import Recipe, build_case
from research.cases.check import Requirements
from research.cases.company import archive, business_documents, confidential_terms
from sanilens.corpus.records import Record
from sanilens.corpus.terms import save_terms
from sanilens.model.training import Schedule
from sanilens.progress import Say

SEED, PROJECTS = 30, 40


def documents(seed: int, projects: int, prefix: str) -> tuple[Record, ...]:
    """The archive, or with another seed look-alikes, which hold none of the archive's terms."""
    own = archive(SEED, PROJECTS)
    return own if seed == SEED else archive(seed, projects, prefix, confidential_terms(own))


RECIPE = Recipe(
    seed=SEED,
    corpus="documents",
    own=documents,
    generic=business_documents,
    targets=Requirements(kind="confidential"),
    subjects=PROJECTS,
    vocabulary=1024,
    hidden=128,
    intermediate=512,
    heads=4,
    base_notes=10_000,
    base=Schedule(3e-3, epochs=1, batch_size=16, precision="bfloat16"),
    tune=Schedule(2e-3, epochs=30, batch_size=8, precision="bfloat16"),
    replay=0.5,
)


def build_confidential(folder: Path, say: Say, *, keep_base: bool = False) -> None:
    """Rebuild every file of the case in `folder`, and hold it to its targets.

    Raises:
        SaniLensError: if a target is missed; the files stay, so that they can be looked at.
    """
    folder.mkdir(parents=True, exist_ok=True)
    terms = confidential_terms(archive(SEED, PROJECTS))
    save_terms(terms.items(), folder / "terms.txt")
    build_case(RECIPE, folder, say, keep_base=keep_base)
