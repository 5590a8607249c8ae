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

from research.sanitise.case import Case
from research.sanitise.closed_forms import by_closed_form
from research.sanitise.codes_arm import without_codes
from sanilens.audit.methods_table import ERASED, TAUGHT, Group, ablation_name
from sanilens.inspect.locate.localisers.balanced_subnet import BalancedSubnet
from sanilens.unlearn.choose import Located, choose_units, random_share
from sanilens.unlearn.controls import random_edits
from sanilens.unlearn.methods import METHODS
from sanilens.unlearn.plan import NO_REPAIR, Repair, Rewriting, UnitEdit
from sanilens.unlearn.sanitise import Change, Sanitised, sanitise
from sanilens.unlearn.suggest import PRESETS

# What is kept of the fine-tuning in the recommended plan.
KEEP = PRESETS["recommended"].keep
# What a plan does that needs neither a base nor a choice of units.
REWRITING, STRANGER, FINISH = (
    Rewriting(), PRESETS["stranger"].repair(None), PRESETS["stranger"].rewrite
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recipe:
    """A row.

    Attributes:
        name: as in the table.
        group: under which head; a given model is measured under one seed only.
        make: the model of a case and seed. Locating units is part of it, and so of its cost.
    """

    name: str
    group: Group
    make: Callable[[Case, int], Sanitised]


def all_arms() -> Iterator[Recipe]:
    """Every row, in the table's order."""
    yield Recipe("leaking", "given", lambda case, _seed: Sanitised(case.model))
    yield Recipe("reference", "given", lambda case, _seed: Sanitised(case.reference))
    yield Recipe("base", "given", lambda case, _seed: Sanitised(case.base))
    yield Recipe("blend+anchored", "ours", _recommended(KEEP))
    yield Recipe("strangers", "ours", _with(Change(repair=STRANGER, rewrite=FINISH)))
    yield Recipe("stranger repair only", "control", _with(Change(repair=STRANGER)))
    yield Recipe("rewrite+stranger", "control", _with(Change(rewrite=REWRITING, repair=STRANGER)))
    yield Recipe("rewrite only", "control", _with(Change(rewrite=REWRITING)))
    yield Recipe("blend only", "control", _with(Change(keep=KEEP)))
    yield Recipe("repair only", "control", _recommended(1.0))
    yield Recipe("sani", "sani", _published)
    for erased in ERASED:
        for taught in TAUGHT:
            yield Recipe(ablation_name(erased, taught), "ablation", _ablation(erased, taught))
    for method in METHODS.values():
        if method.family in ("Baselines", "Gate"):
            repair = Repair(method=method.name)
            yield Recipe(method.name, "baseline", _with(Change(repair=repair)))
    yield Recipe("balanced-subnet", "baseline", _subnet)
    yield Recipe("closed form, inputs", "baseline", by_closed_form("inputs"))
    yield Recipe("closed form, both sides", "baseline", by_closed_form("both sides"))
    yield Recipe("codes", "baseline", without_codes)


def _subnet(case: Case, seed: int) -> Sanitised:
    """BalancedSubnet by units: what its mask lets go is zeroed, and nothing is trained."""
    units = Located("balanced-subnet", share=BalancedSubnet().share, layers=None)
    asked = (case.model, case.base, case.records, case.records, units)
    edits = choose_units(*asked, operation="zero", seed=seed)
    return _with(Change(edits, Repair(method=NO_REPAIR)))(case, seed)


def _recommended(keep: float) -> Callable[[Case, int], Sanitised]:
    """The preset's repair, after a share of the fine-tuning was kept."""

    def make(case: Case, seed: int) -> Sanitised:
        repair = PRESETS["recommended"].repair(case.base)
        return _with(Change(repair=repair, keep=keep))(case, seed)

    return make


def _with(change: Change) -> Callable[[Case, int], Sanitised]:
    return lambda case, seed: sanitise(
        case.model, case.records, replace(change, seed=seed), case.base, retain=case.retain
    )


def _published(case: Case, seed: int) -> Sanitised:
    """SANI has no base model: what is erased is drawn from the module's own initialiser."""
    rows = random_share(case.model.sites, "row", seed=seed)
    edits = tuple(UnitEdit(unit=str(row), operation="initialise") for row in rows)
    change = Change(edits, Repair(method="masked"), seed=seed)
    return sanitise(case.model, case.records, change, retain=case.retain)


def _ablation(erased: str, taught: str) -> Callable[[Case, int], Sanitised]:
    def make(case: Case, seed: int) -> Sanitised:
        edits: tuple[UnitEdit, ...] = ()
        if erased != "none":
            edits = choose_units(case.model, case.base, case.records, case.records, Located())
        if erased == "random":
            edits = random_edits(case.model.sites, edits, seed)
        return _with(Change(edits, Repair(method=taught)))(case, seed)

    return make
