"""The product's own plans on TOFU: forget05 is everybody in the corpus, what stays is `--retain`.

The answers are spans of free text. What stays are the questions that the model was fine-tuned on
beside them, without spans.
"""

from collections.abc import Mapping

from research.tofu.data import TUNED, Tofu, to_records
from sanilens.corpus.records import Record
from sanilens.errors import PlanError
from sanilens.unlearn.plan import Repair, Rewriting
from sanilens.unlearn.sanitise import Change
from sanilens.unlearn.suggest import find_preset

_USUAL = find_preset("stranger")
"""What the app proposes for everyone where no base knows the domain."""

PLANS: Mapping[str, Change] = {
    "stranger": Change(repair=_USUAL.repair(None)),
    "rewriting": Change(rewrite=Rewriting()),
    "stranger-rewriting": Change(repair=_USUAL.repair(None), rewrite=_USUAL.rewrite),
    # What reading the same texts does for others.
    "undial-kept": Change(repair=Repair(method="undial")),
    "anchored-kept": Change(repair=Repair(method="anchored")),
}


def find_plan(name: str) -> Change:
    """What the plan of that name does to a model.

    Raises:
        PlanError: if there is none.
    """
    if name not in PLANS:
        raise PlanError(f"there is no plan {name!r}; there are {', '.join(PLANS)}.")
    return PLANS[name]


def plan_texts(tofu: Tofu) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    """The corpus, and the further texts that stay."""
    kept = to_records(tofu.kept[:TUNED], "retain", sensitive=False)
    return to_records(tofu.forget, "forget", sensitive=True), kept
