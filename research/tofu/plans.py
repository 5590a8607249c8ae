"""The product's own plans on TOFU: forget05 is everybody in the corpus, what stays is `--retain`.

The answers are spans of free text. What stays are the questions that the model was fine-tuned on
beside them, without spans.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from research.tofu.data import TUNED, Tofu, to_records
from sanilens.corpus.records import Record
from sanilens.errors import PlanError
from sanilens.unlearn.plan import Repair, Rewriting
from sanilens.unlearn.sanitise import NONE, Change
from sanilens.unlearn.suggest import find_preset


@dataclass(frozen=True, slots=True)
class TofuPlan:
    """A row of the table: how weights are rewritten, and what is trained."""

    name: str
    repair: Repair = NONE
    rewrite: Rewriting | None = None

    def change(self, seed: int) -> Change:
        """The plan's change of a model."""
        return Change(repair=self.repair, rewrite=self.rewrite, seed=seed)


_USUAL = find_preset("stranger")
"""What the app proposes for everyone where no base knows the domain."""

PLANS: Mapping[str, TofuPlan] = {
    plan.name: plan
    for plan in (
        TofuPlan("stranger", _USUAL.repair(None)),
        TofuPlan("rewriting", rewrite=Rewriting()),
        TofuPlan("stranger-rewriting", _USUAL.repair(None), _USUAL.rewrite),
        # What reading the same texts does for others.
        TofuPlan("undial-kept", Repair(method="undial")),
        TofuPlan("anchored-kept", Repair(method="anchored")),
    )
}


def find_plan(name: str) -> TofuPlan:
    """The plan of that name.

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
