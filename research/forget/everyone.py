"""Everyone's spans at once: rows of the table of methods, with and without a base.

A row reads further texts of the domain where the case has them, by whatever method.
"""

from collections.abc import Iterator

from research.sanitise.arms import Recipe, all_arms
from research.sanitise.case import Case
from sanilens.unlearn.choose import Located, choose_units
from sanilens.unlearn.sanitise import Change, Sanitised, sanitise
from sanilens.unlearn.suggest import default_repair

# The quickest first, so that a cut run has most of the table.
_ROWS = (
    "leaking", "reference", "base", "strangers", "stranger repair only", "rewrite only",
    "blend+anchored", "none, surrogate", "npo", "cir", "sani", "located, anchored", "altpo", "grun",
    "balanced-subnet", "closed form, inputs", "closed form, both sides",
)  # fmt: skip


def everyone_arms() -> Iterator[Recipe]:
    """The rows of the bench, in the table's order."""
    known = {arm.name: arm for arm in all_arms()}
    for name in _ROWS:
        yield known[name]
        if name == "located, anchored":
            yield Recipe("located, no base", "baseline", _located_without_base)


def _located_without_base(case: Case, seed: int) -> Sanitised:
    """The default plan of a case that has no base: located units zeroed, then surrogates."""
    edits = choose_units(case.model, None, case.records, case.records, Located(), seed=seed)
    change = Change(edits, default_repair(None), seed=seed)
    return sanitise(case.model, case.records, change, retain=case.retain)
