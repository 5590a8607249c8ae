"""The session's state: ids and small frozen values behind typed accessors, never models or text.

Only this module knows the keys.
"""

from dataclasses import dataclass

import streamlit as st

from sanilens.unlearn.plan import AuditSettings, Repair, UnitEdit


@dataclass(frozen=True, slots=True)
class CaseRef:
    """What is examined, by source: folders, files, hub ids or bundled names."""

    model: str
    corpus: str
    base: str | None = None
    reference: str | None = None
    control: str | None = None
    unseen: str | None = None
    patient_table: str | None = None


BUNDLED = CaseRef(
    model="clinic:leaking",
    corpus="clinic:notes",
    base="clinic:base",
    reference="clinic:reference",
    control="clinic:lookalike",
    unseen="clinic:unseen",
)


@dataclass(frozen=True, slots=True)
class Selection:
    """What Inspect shows: a record, one of its spans, a unit (canonical name)."""

    record: str | None = None
    span: str | None = None
    unit: str | None = None


def case() -> CaseRef | None:
    """The open case."""
    return st.session_state.get("case")


def open_case(ref: CaseRef) -> None:
    """Open a case and forget everything that belonged to another one."""
    if ref != case():
        for key in ("selection", "basket", "basket_history", "run", "revealed"):
            st.session_state.pop(key, None)
    st.session_state["case"] = ref


def revealed() -> bool:
    """Whether the user asked to see identifiers; the reveal is recorded where it happens."""
    return st.session_state.get("revealed", False)


def set_revealed(value: bool) -> None:
    """Show or mask identifiers."""
    st.session_state["revealed"] = value


def selection() -> Selection:
    """What Inspect shows."""
    return st.session_state.get("selection", Selection())


def select(value: Selection) -> None:
    """Change what Inspect shows."""
    st.session_state["selection"] = value


def basket() -> tuple[UnitEdit, ...]:
    """The units chosen for the plan, in the order in which they were added."""
    return st.session_state.get("basket", ())


def set_basket(edits: tuple[UnitEdit, ...]) -> None:
    """Replace the basket; `undo` brings the old one back."""
    st.session_state.setdefault("basket_history", []).append(basket())
    st.session_state["basket"] = edits


def add_edits(edits: tuple[UnitEdit, ...]) -> None:
    """Put edits into the basket; a unit that is there already gets the new operation."""
    new = {edit.unit: edit for edit in edits}
    kept = tuple(new.pop(edit.unit, edit) for edit in basket())
    set_basket((*kept, *new.values()))


def can_undo() -> bool:
    """Whether the basket has an earlier state."""
    return bool(st.session_state.get("basket_history"))


def undo() -> None:
    """Take back the last change of the basket."""
    st.session_state["basket"] = st.session_state["basket_history"].pop()


def repair() -> Repair:
    """The repair settings of the plan that is being made."""
    return st.session_state.get("repair", Repair())


def set_repair(value: Repair) -> None:
    """Change the repair settings."""
    st.session_state["repair"] = value


def audit_settings() -> AuditSettings:
    """How arms are measured."""
    return st.session_state.get("audit_settings", AuditSettings())


def set_audit_settings(value: AuditSettings) -> None:
    """Change how arms are measured."""
    st.session_state["audit_settings"] = value


def run() -> str | None:
    """The name of the run (a folder of the workspace) that Run and Compare show."""
    return st.session_state.get("run")


def set_run(name: str | None) -> None:
    """Show another run."""
    st.session_state["run"] = name
