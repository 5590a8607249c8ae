"""The arms that a plan has besides its own: what each does to the examined model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from sanilens.corpus.records import Record
from sanilens.inspect.units.readers import NO_SAES
from sanilens.model.sites import Sites
from sanilens.runs.arms import ArmName
from sanilens.unlearn.controls import random_edits
from sanilens.unlearn.edits import Dictionaries
from sanilens.unlearn.plan import Plan, UnitEdit


@dataclass(frozen=True, slots=True)
class Treatment:
    """What an arm does to the examined model before it is measured.

    `subjects` are those deleted instead of the plan's own, if any are.
    """

    edits: tuple[UnitEdit, ...] = ()
    repair: bool = False
    keep: float = 1.0
    rewrite: bool = False
    subjects: tuple[str, ...] = ()


def treatments(
    plan: Plan, sites: Sites, saes: Dictionaries = NO_SAES, others: tuple[str, ...] = ()
) -> dict[ArmName, Treatment]:
    """The arms that change the model, in the order in which they run: the plan's own first.

    `others` are as many other people, to be deleted instead of those whom the plan names.
    """
    own = Treatment(plan.edits, plan.repair.trains, plan.keep, plan.rewrite is not None)
    arms: dict[ArmName, Treatment] = {"after": own}
    if not plan.controls:
        return arms
    # Rewriting what a repair leaves is that repair's end, not a plan of its own: apart, either
    # would take as long as the whole.
    before = plan.rewrite is not None and not plan.rewrite.last
    changed = bool(plan.edits) or plan.keep < 1 or before
    if own.repair and changed:
        arms["repair_only"] = Treatment(repair=True)
    if plan.edits:
        drawn = random_edits(sites, plan.edits, plan.seed, saes)
        # Where no unit is free to be rewritten, all weights are not its control.
        chosen = _rewrites_units(drawn) or not _rewrites_units(plan.edits)
        arms["random_units"] = replace(own, edits=drawn, rewrite=own.rewrite and chosen)
    if plan.rewrite and others:
        arms["another_subject"] = replace(own, subjects=others)
    if own.repair and changed:
        arms["edits_only"] = replace(own, repair=False)
    return arms


def _rewrites_units(edits: Sequence[UnitEdit]) -> bool:
    return any(edit.operation == "rewrite" for edit in edits)


def instead_of(plan: Plan, records: Sequence[Record]) -> tuple[str, ...]:
    """As many other people as a plan names, drawn by its seed; none if it is about everybody.

    They have spans, and were not deleted before: what deleting them takes from those whom the plan
    names is damage, not erasure. Of one person it is one of two, whoever asks: their arm is kept.
    """
    known = {record.subject for record in records if record.spans}
    free = sorted(known - {*plan.subjects, *plan.earlier})
    count = min(len(plan.subjects), len(free))
    return tuple(sorted(Random(plan.seed).sample(free, count)))
