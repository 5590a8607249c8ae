"""The session's state: ids and small frozen values behind typed accessors, never models or text.

Only this module knows the keys.
"""

import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal
from uuid import uuid4

import streamlit as st

from sanilens.bundled import Sources
from sanilens.corpus.lookup import Person
from sanilens.locked import locked
from sanilens.unlearn.plan import AuditSettings, Operation, Repair, Rewriting, UnitEdit

_CHOICES = ("basket", "repair", "keep", "rewriting", "subjects")
_OF_ONE_CASE = (
    *_CHOICES, "suggested", "selection", "run", "revealed", "extracted", "draft_of",
    "draft_kept", "asking", "people", "repairs", "rewriting_left",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Selection:
    """What Inspect shows: a record, one of its spans, a unit (canonical name)."""

    record: str | None = None
    span: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Tries:
    """An attacker who samples `count` times; a span counts that leaks with `probability`."""

    count: int = 100
    probability: float = 0.5


def told_at_import(corpus: str) -> tuple[str, ...]:
    """What was to be said when this corpus was imported: its kept copy no longer shows it."""
    return st.session_state.get("told", {}).get(corpus, ())


def keep_told(corpus: str, notices: tuple[str, ...]) -> None:
    """Remember what was to be said of an import."""
    st.session_state["told"] = {**st.session_state.get("told", {}), corpus: notices}


def case() -> Sources | None:
    """The open case."""
    return st.session_state.get("case")


def noun() -> str:
    """What a record of the open case is about."""
    ref = case()
    return ref.noun if ref else "subject"


def nouns() -> str:
    """More than one of them."""
    ref = case()
    return ref.nouns if ref else "subjects"


def counted(count: int) -> str:
    """`36 patients`."""
    return f"{count:,} {noun() if count == 1 else nouns()}"


def open_case(ref: Sources) -> None:
    """Open a case and forget everything that belonged to another one."""
    if ref != case():
        for key in _OF_ONE_CASE:
            st.session_state.pop(key, None)
    st.session_state["case"] = ref


def close_case() -> None:
    """Forget the open case and all that belonged to it."""
    for key in ("case", "published", *_OF_ONE_CASE):
        st.session_state.pop(key, None)


def published() -> dict[str, str] | None:
    """The parameters that we put into the address last; None before any."""
    return st.session_state.get("published")


def set_published(parameters: dict[str, str]) -> None:
    """Remember them."""
    st.session_state["published"] = parameters


def correct_corpus(source: str) -> None:
    """Go on with the same case and the corpus of `source`: the same texts, other spans."""
    if (ref := case()) is None:
        raise RuntimeError("no case is open")
    for key in ("extracted", "run"):
        st.session_state.pop(key, None)
    select(replace(selection(), span=None))
    st.session_state["case"] = replace(ref, corpus=source, patient_table=None)


def session_id() -> str:
    """A random name of this session, for the log of reveals: it says nothing of the user."""
    return st.session_state.setdefault("session_id", uuid4().hex[:12])


REVEALED_FOR = 600.0
"""Seconds after which what was revealed is masked again."""


def revealed(record: str | None) -> bool:
    """Whether the user asked to see the identifiers of a record, and that is not long ago.

    What belongs to no record stays masked.
    """
    return record in reveals()


def reveals() -> dict[str, float]:
    """Records whose identifiers are shown, and until when (seconds since 1970)."""
    if locked():
        return {}
    now = time.time()
    return {n: end for n, end in st.session_state.get("revealed", {}).items() if end > now}


def reveal(record: str) -> None:
    """Show a record's identifiers for a while; that is recorded where it happens."""
    st.session_state["revealed"] = {**reveals(), record: time.time() + REVEALED_FOR}


def mask_all() -> None:
    """Mask everything again."""
    st.session_state["revealed"] = {}


def selection() -> Selection:
    """What Inspect shows."""
    return st.session_state.get("selection", Selection())


def select(value: Selection) -> None:
    """Change what Inspect shows."""
    st.session_state["selection"] = value


def basket() -> tuple[UnitEdit, ...]:
    """The units chosen for the plan, in the order in which they were added."""
    return st.session_state.get("basket", ())


def planned() -> dict[str, Operation]:
    """What the plan does to its units, by their names."""
    return {edit.unit: edit.operation for edit in basket()}


def set_basket(edits: tuple[UnitEdit, ...]) -> None:
    """Replace the basket."""
    st.session_state["basket"] = edits


def add_edits(edits: tuple[UnitEdit, ...]) -> None:
    """Put edits into the basket; a unit that is there already gets the new operation."""
    new = {edit.unit: edit for edit in edits}
    kept = tuple(new.pop(edit.unit, edit) for edit in basket())
    set_basket((*kept, *new.values()))


@dataclass(frozen=True, slots=True)
class Parts:
    """What a plan does beside its units: None of a part is what the page suggests.

    `rewriting`: False for none, whatever is suggested.
    """

    repair: Repair | None = None
    keep: float | None = None
    rewriting: Rewriting | Literal[False] | None = None


def suggest(value: Parts) -> None:
    """What holds of every part that nobody chose."""
    st.session_state["suggested"] = value


def chosen() -> Parts:
    """What was chosen."""
    found = st.session_state
    return Parts(found.get("repair"), found.get("keep"), found.get("rewriting"))


def set_chosen(value: Parts) -> None:
    """Change all that was chosen, or take it back."""
    for part in fields(value):
        if (own := getattr(value, part.name)) is None:
            st.session_state.pop(part.name, None)
        else:
            st.session_state[part.name] = own


def has_choices() -> bool:
    """Whether anything of a plan was chosen in this session."""
    return any(key in st.session_state for key in _CHOICES)


def _suggested() -> Parts:
    return st.session_state.get("suggested", Parts())


def repair() -> Repair:
    """The repair settings of the plan that is being made."""
    return chosen().repair or _suggested().repair or Repair()


def set_repair(value: Repair) -> None:
    """Change them; those of before are kept under their method's name."""
    if (left := repair()).method != value.method:
        others = {name: own for name, own in repairs().items() if name != left.method}
        st.session_state["repairs"] = {**others, left.method: left}
    st.session_state["repair"] = value


def repairs() -> Mapping[str, Repair]:
    """The settings of other methods as they were left, the last one last."""
    return st.session_state.get("repairs", {})


def keep() -> float:
    """The share of the fine-tuning that stays in all weights: `Plan.keep`."""
    own, suggested = chosen().keep, _suggested().keep
    return own if own is not None else 1.0 if suggested is None else suggested


def set_keep(share: float) -> None:
    """Change it."""
    st.session_state["keep"] = share


def rewriting() -> Rewriting | None:
    """How weights are rewritten, if they are: `Plan.rewrite`."""
    own = chosen().rewriting
    return (_suggested().rewriting if own is None else own) or None


def set_rewriting(value: Rewriting | None) -> None:
    """Change it."""
    if (left := rewriting()) is not None:
        st.session_state["rewriting_left"] = left
    st.session_state["rewriting"] = value or False


def rewriting_left() -> Rewriting | None:
    """The settings of rewriting as they were last, also while it is off."""
    return st.session_state.get("rewriting_left")


def subjects() -> tuple[str, ...]:
    """Whose details are to be forgotten: `Plan.subjects`; none for everyone."""
    return st.session_state.get("subjects", ())


def set_subjects(names: tuple[str, ...]) -> None:
    """Change it."""
    st.session_state["subjects"] = names


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Whether the control arms run too, and the seed of everything random."""

    controls: bool = True
    seed: int = 0


def run_options() -> RunOptions:
    """The rest of the plan that is being made."""
    return st.session_state.get("run_options", RunOptions())


def set_run_options(value: RunOptions) -> None:
    """Change controls or seed."""
    st.session_state["run_options"] = value


def audit_settings() -> AuditSettings:
    """How arms are measured."""
    return st.session_state.get("audit_settings", AuditSettings())


def set_audit_settings(value: AuditSettings) -> None:
    """Change how arms are measured."""
    st.session_state["audit_settings"] = value


def asking() -> str | None:
    """The subject whose request is looked at: an id, never what was typed to find it."""
    return st.session_state.get("asking")


def people() -> list[Person] | None:
    """Whom the last look-up found, by id; None before any."""
    return st.session_state.get("people")


def set_people(found: list[Person]) -> None:
    """Keep whom a look-up found: its text is not kept."""
    st.session_state["people"] = found


def set_asking(subject: str | None) -> None:
    """Look at another's."""
    st.session_state["asking"] = subject


def tries() -> Tries:
    """How long the assumed attacker samples."""
    return st.session_state.get("tries", Tries())


def set_tries(value: Tries) -> None:
    """Change it."""
    st.session_state["tries"] = value


def run() -> str | None:
    """The name of the run (a folder of the workspace) that Run and Compare show."""
    return st.session_state.get("run")


def set_run(name: str | None) -> None:
    """Show another run."""
    st.session_state["run"] = name


def extracted() -> int | None:
    """How many spans the open case's audit found extractable; None before it."""
    return st.session_state.get("extracted")


def set_extracted(count: int) -> None:
    """Keep the audit's headline, for the sidebar."""
    st.session_state["extracted"] = count


def sidebar_notes() -> dict[str, str]:
    """The word that stands beside a page in the sidebar."""
    notes: dict[str, str] = {}
    if (count := extracted()) is not None:
        notes["audit"] = f"{count:,}"
    if units := len(basket()):
        notes["plan"] = f"{units:,} unit" + "s" * (units != 1)
    return notes


def is_new(widget: str, value: Hashable) -> bool:
    """Whether a widget reports another value than at the last call: a pick counts once.

    A widget keeps its value from run to run, while the page may have chosen something else since.
    """
    key = f"{widget}:seen"
    seen = st.session_state.get(key)
    st.session_state[key] = value
    return value != seen
