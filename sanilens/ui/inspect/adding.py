"""From chosen units and an operation to edits in the plan."""

from collections.abc import Sequence

import streamlit as st

from sanilens.model.units import Code, Feature, Unit
from sanilens.ui import state
from sanilens.ui.inspect.measured import sample
from sanilens.ui.opened import Opened
from sanilens.unlearn.choose import CAP_QUANTILE, edits_with
from sanilens.unlearn.edits import is_exact_in_weights
from sanilens.unlearn.plan import Operation, UnitEdit, operations_of

_WHAT: dict[Operation, str] = {
    "reset": "its weights become the base model's",
    "zero": "it says nothing any more",
    "mean": "it always says what it says on average of ordinary text",
    "clamp": "it always says the value that you give",
    "cap": f"it says no more than in {100 * CAP_QUANTILE:.0f} % of ordinary text",
}
_OF_A_FEATURE: dict[Operation, str] = {
    "zero": "where it fires, it is taken away",
    "clamp": "where it fires, it is set to this many times the activation's norm",
    "bake": "its direction is taken out of all weights that write it",
}
_OF_A_CODE: dict[Operation, str] = {
    "zero": "it is taken away; what the codebook leaves out still passes",
    "refill": "only codes pass, and the next-best one takes its place",
    "drop": "only codes pass, and its place stays empty",
    "renorm": "only codes pass, and those left of a token weigh more",
}
# As a share of the activation's norm: chosen on the bundled case, see benchmarks/.
FEATURE_CLAMP = -0.2


def choose_operation(key: str, unit: Unit) -> tuple[Operation, float]:
    """The operation, and for a clamp its value."""
    kind = str(unit).partition(".")[0]
    operation = st.selectbox(
        "operation",
        operations_of(unit),
        key=f"{key}-op-{kind}",
        label_visibility="collapsed",
        width=110,
    )
    value = 0.0
    if operation == "clamp":
        value = st.number_input(
            "value",
            value=FEATURE_CLAMP if isinstance(unit, Feature) else 0.0,
            step=0.1,
            key=f"{key}-value-{kind}",
            label_visibility="collapsed",
            width=110,
        )
    return operation, float(value)


def explained(opened: Opened, operation: Operation, unit: Unit) -> str:
    """What the operation does, and where it lives."""
    of_a_feature = _OF_A_CODE if isinstance(unit, Code) else _OF_A_FEATURE
    what = (of_a_feature if isinstance(unit, Feature) else _WHAT)[operation]
    if operation == "reset" and opened.base is None:
        what = "its weights are drawn anew: no base model is given"
    exact = is_exact_in_weights(opened.subject, UnitEdit(**_any_edit(unit, operation)))
    return f"{operation}: {what}; " + ("in the weights" if exact else "a hook only")


def _any_edit(unit: Unit, operation: Operation) -> dict:
    valued = operation in ("mean", "clamp", "cap")
    return {"unit": str(unit), "operation": operation, "value": 0.0 if valued else None}


def add_units(opened: Opened, units: Sequence[Unit], operation: Operation, value: float) -> None:
    """Put the units into the plan (a button's callback, so the sidebar counts them at once)."""
    state.add_edits(edits_with(sample(opened).of, units, operation, value))


def remove_unit(unit: Unit) -> None:
    """Take a unit out of the plan again."""
    state.set_basket(tuple(edit for edit in state.basket() if edit.unit != str(unit)))
