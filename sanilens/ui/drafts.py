"""The plan that is being made, kept on disk: a reload, a restart, another tab go on with it.

What a person changes between two drawings of a page is one step, and undo takes back one step.
A draft holds units, settings and ids of subjects, never text.
"""

from typing import Annotated, Literal

import streamlit as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sanilens.atomic import write_text
from sanilens.bundled import Sources
from sanilens.errors import IntegrityError
from sanilens.runs.folder import open_plain
from sanilens.runs.workspace import drafts_folder
from sanilens.ui import links, state
from sanilens.unlearn.plan import AuditSettings, Repair, Rewriting, UnitEdit

# Of one case: the steps that can be taken back, and how much of them is written.
_STEPS, _CHARACTERS = 50, 2_000_000


class Draft(BaseModel):
    """All that a person has chosen of a plan; None of a part is what the page suggests."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    basket: tuple[UnitEdit, ...] = ()
    repair: Repair | None = None
    keep: Annotated[float, Field(ge=0, le=1)] | None = None
    rewriting: Rewriting | Literal[False] | None = None
    subjects: tuple[str, ...] = ()
    audit: AuditSettings = AuditSettings()
    controls: bool = True
    seed: Annotated[int, Field(ge=0)] = 0


class _Kept(BaseModel):
    """A file: the draft of one case, and those before it, oldest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    draft: Draft
    earlier: tuple[Draft, ...] = ()


def restore(ref: Sources) -> None:
    """Go on with what was kept of this case, in a session that has chosen nothing of it yet."""
    if st.session_state.get("draft_of") == ref:
        return
    st.session_state["draft_of"] = ref
    kept = _read(ref) if not state.has_choices() else None
    st.session_state["draft_kept"] = kept or _Kept(draft=Draft())
    if kept:
        _take(kept.draft)


def keep() -> None:
    """Write down what the user has changed since the last drawing, if anything."""
    ref, kept = state.case(), _kept()
    now = _current()
    if ref is None or now == kept.draft:
        return
    earlier = (*kept.earlier, kept.draft)[-_STEPS:]
    _write(ref, _Kept(draft=now, earlier=earlier))


def can_undo() -> bool:
    """Whether there is an earlier step."""
    return bool(_kept().earlier)


def undo() -> None:
    """Take back the last step, whatever it changed."""
    ref, kept = state.case(), _kept()
    if ref is None or not kept.earlier:
        return
    draft = kept.earlier[-1]
    _take(draft)
    _write(ref, _Kept(draft=_current(), earlier=kept.earlier[:-1]))


def _kept() -> _Kept:
    return st.session_state.get("draft_kept", _Kept(draft=Draft()))


def _current() -> Draft:
    options, chosen = state.run_options(), state.chosen()
    return Draft(
        basket=state.basket(),
        repair=chosen.repair,
        keep=chosen.keep,
        rewriting=chosen.rewriting,
        subjects=state.subjects(),
        audit=state.audit_settings(),
        controls=options.controls,
        seed=options.seed,
    )


def _take(draft: Draft) -> None:
    state.set_basket(draft.basket)
    state.set_chosen(state.Parts(draft.repair, draft.keep, draft.rewriting))
    state.set_subjects(draft.subjects)
    state.set_audit_settings(draft.audit)
    state.set_run_options(state.RunOptions(draft.controls, draft.seed))


def _read(ref: Sources) -> _Kept | None:
    """What the file says; None where there is none, or it is damaged or another version's."""
    path = drafts_folder() / f"{links.remember(ref)}.json"
    if not path.exists():
        return None
    try:
        with open_plain(path) as file:
            return _Kept.model_validate_json(file.read(2 * _CHARACTERS))
    except (ValidationError, IntegrityError):
        return None


def _write(ref: Sources, kept: _Kept) -> None:
    st.session_state["draft_kept"] = kept
    text = kept.model_dump_json()
    while len(text) > _CHARACTERS and kept.earlier:  # many thousand units: fewer steps stay
        kept = kept.model_copy(update={"earlier": kept.earlier[len(kept.earlier) // 2 + 1 :]})
        text = kept.model_dump_json()
    write_text(drafts_folder() / f"{links.remember(ref)}.json", text)
