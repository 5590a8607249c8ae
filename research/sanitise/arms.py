"""The rows: what is done to the leaking model in each, as a change that a plan could hold.

given      models as they are: leaking, reference, base
ours       plans that the project recommends
control    what tells an edit's work from the repair's, and the located units' from any units'
sani       as published: half of the rows of each linear map of the last layer, drawn at random and
           re-initialised; masked repair
ablation   one factor at a time: which units are erased (none, the suggested plan's, or as many at
           random in the same layers), and what is taught afterwards
baseline   the field's methods, each with its own defaults, GRUN and CodeUnlearn among them
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from research.sanitise.case import Case
from research.sanitise.codes_arm import without_codes
from sanilens.inspect.locate.scores import random_like
from sanilens.unlearn.edits import edited_units
from sanilens.unlearn.methods import METHODS
from sanilens.unlearn.plan import Repair, UnitEdit
from sanilens.unlearn.sanitise import Change, Sanitised, sanitise
from sanilens.unlearn.suggest import default_edits, random_share

Group = Literal["given", "ours", "control", "sani", "ablation", "baseline"]
# What is kept of the fine-tuning in the recommended plan; found on the clinic case.
KEEP = 0.1
ERASED = ("none", "random", "located")
TAUGHT = ("masked", "surrogate", "anchored")


@dataclass(frozen=True, slots=True)
class Arm:
    """A row.

    Attributes:
        name: as in the table.
        group: under which head; a given model is measured under one seed only.
        make: the model of a case and seed. Locating units is part of it, and so of its cost.
    """

    name: str
    group: Group
    make: Callable[[Case, int], Sanitised]


def all_arms() -> Iterator[Arm]:
    """Every row, in the table's order."""
    yield Arm("leaking", "given", lambda case, _seed: Sanitised(case.model))
    yield Arm("reference", "given", lambda case, _seed: Sanitised(case.reference))
    yield Arm("base", "given", lambda case, _seed: Sanitised(case.base))
    short = Repair(
        method="anchored", epochs=1, batch_size=2, learning_rate=5e-4, options={"written": 0.0}
    )
    yield Arm("blend+anchored", "ours", _with(Change(repair=short, keep=KEEP)))
    yield Arm("blend only", "control", _with(Change(keep=KEEP)))
    yield Arm("repair only", "control", _with(Change(repair=short)))
    yield Arm("sani", "sani", _published)
    for erased in ERASED:
        for taught in TAUGHT:
            yield Arm(ablation_name(erased, taught), "ablation", _ablation(erased, taught))
    for method in METHODS.values():
        if method.family == "Baselines":
            repair = Repair(method=method.name)
            yield Arm(method.name, "baseline", _with(Change(repair=repair)))
    yield Arm("codes", "baseline", without_codes)


def ablation_name(erased: str, taught: str) -> str:
    """The row's name in the table."""
    return f"{erased}, {taught}"


def _with(change: Change) -> Callable[[Case, int], Sanitised]:
    return lambda case, seed: sanitise(
        case.model, case.records, replace(change, seed=seed), case.base
    )


def _published(case: Case, seed: int) -> Sanitised:
    """SANI has no base model: what is erased is drawn from the module's own initialiser."""
    rows = random_share(case.model.sites, "row", seed=seed)
    edits = tuple(UnitEdit(unit=str(row), operation="initialise") for row in rows)
    return sanitise(case.model, case.records, Change(edits, Repair(method="masked"), seed=seed))


def _ablation(erased: str, taught: str) -> Callable[[Case, int], Sanitised]:
    def make(case: Case, seed: int) -> Sanitised:
        edits: tuple[UnitEdit, ...] = ()
        if erased != "none":
            edits = default_edits(case.model, case.base, case.records)
        if erased == "random":
            drawn = random_like(case.model.sites, edited_units(edits), seed)
            edits = tuple(UnitEdit(unit=str(unit), operation="reset") for unit in drawn)
        return _with(Change(edits, Repair(method=taught)))(case, seed)

    return make
