"""Which spans are attributed: the selected one, or all of its label, its subject, the corpus."""

from dataclasses import dataclass
from typing import Literal, get_args

import streamlit as st

from sanilens.corpus.records import Record
from sanilens.inspect.targets import Scope
from sanilens.ui.inspect.shown import Shown
from sanilens.ui.opened import Opened

ScopeName = Literal["span", "label", "subject", "corpus"]
SCOPES: tuple[ScopeName, ...] = get_args(ScopeName)
_KEY = "scope"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A scope, the records that hold its spans, and the command's option for it."""

    name: ScopeName
    scope: Scope
    records: tuple[Record, ...]
    option: tuple[str, str] | None


def scope_switch() -> None:
    """The switch between the scopes; `chosen_name` reads it, before it is drawn too."""
    st.segmented_control(
        "Scope",
        SCOPES,
        default=SCOPES[0],
        required=True,
        key=_KEY,
        label_visibility="collapsed",
        persist_state="session",
    )


def chosen_name() -> ScopeName:
    """The scope that the switch stands at."""
    return st.session_state.get(_KEY, SCOPES[0])


def chosen_scope(opened: Opened, at: Shown, name: ScopeName) -> Chosen:
    """The scope of that name around the selected span."""
    assert at.span is not None
    assert at.span_id is not None
    records, label, subject = opened.corpus.records, at.span.label, at.record.subject
    match name:
        case "span":
            only = frozenset({at.span_id})
            return Chosen(name, Scope(spans=only), (at.record,), ("span", at.span_id))
        case "label":
            holding = tuple(r for r in records if any(s.label == label for s in r.spans))
            return Chosen(name, Scope(labels=frozenset({label})), holding, ("label", label))
        case "subject":
            own = tuple(r for r in records if r.subject == subject)
            return Chosen(name, Scope(subjects=frozenset({subject})), own, ("subject", subject))
        case "corpus":
            return Chosen(name, Scope(), records, None)
