"""By which localiser, and of which kind of units: the choice, and the scores that it gives.

A quick localiser is asked at once; a slow one only by a button, in a process of its own, and what
it found is kept in the workspace.
"""

import hashlib
from dataclasses import dataclass
from typing import get_args

import streamlit as st

from sanilens.inspect.localisers import LOCALISERS, Localiser, Settings, find_localiser
from sanilens.inspect.score_cache import kept_scores
from sanilens.inspect.scores import UnitScores
from sanilens.inspect.targets import find_targets
from sanilens.model.units import UnitKind, kind_of
from sanilens.runs.jobs import Job
from sanilens.runs.workspace import job, scores_folder
from sanilens.ui import state
from sanilens.ui.commands import locate_arguments
from sanilens.ui.inspect.picks import forget_unit
from sanilens.ui.inspect.scopes import Chosen
from sanilens.ui.inspect.shown import existing
from sanilens.ui.job import job_panel
from sanilens.ui.localisers.measuring import recommended
from sanilens.ui.opened import Opened
from sanilens.ui.progress import progress_bar
from sanilens.ui.results import results

_METHOD, _KIND = "inspect-localiser", "inspect-kind"
_NOUNS: dict[UnitKind, str] = {"mlp": "neurons", "head": "heads"}
DEFAULT = "gradient-activation"
_HOW_LONG = (
    "It asks the model many times over: minutes for a corpus, less for one span. Its progress and "
    "the time left are shown; it runs on when this page is closed, and is kept when it is done."
)


@dataclass(frozen=True, slots=True)
class Ranking:
    """What is asked for: a localiser, a kind of unit, and the spans in question."""

    method: str
    kind: UnitKind
    chosen: Chosen

    @property
    def localiser(self) -> Localiser:
        """The localiser."""
        return find_localiser(self.method)


def noun(kind: UnitKind) -> str:
    """`neurons` or `heads`."""
    return _NOUNS[kind]


def ranking(opened: Opened, chosen: Chosen) -> Ranking:
    """What the page's controls stand at, before they are drawn too.

    A unit that an address or a click has opened turns the switch to its kind.
    """
    st.session_state.setdefault(_METHOD, recommended(opened) or DEFAULT)
    st.session_state.setdefault(_KIND, "mlp")
    if unit := existing(opened.subject, state.selection().unit):
        st.session_state[_KIND] = kind_of(unit)
    return Ranking(st.session_state[_METHOD], st.session_state[_KIND], chosen)


def kind_switch() -> None:
    """Neurons or heads."""
    st.segmented_control(
        "Units",
        get_args(UnitKind),
        required=True,
        key=_KIND,
        format_func=noun,
        label_visibility="collapsed",
        on_change=forget_unit,
        persist_state="session",
    )


def localiser_box(opened: Opened) -> None:
    """The localisers by name; the one that was measured to be best on this case is marked."""
    best = recommended(opened)

    def named(name: str) -> str:
        slow = find_localiser(name).cost == "minutes"
        marks = [mark for mark, on in (("recommended", name == best), ("slow", slow)) if on]
        return f"{name} ({', '.join(marks)})" if marks else name

    st.selectbox(
        "Localiser",
        list(LOCALISERS),
        key=_METHOD,
        format_func=named,
        label_visibility="collapsed",
        width=240,
        persist_state="session",
    )


def scores(opened: Opened, asked: Ranking) -> UnitScores | None:
    """The score of every unit; None while a slow localiser has not been asked."""
    key = ("scores", opened.key, asked.method, asked.kind, asked.chosen.scope)
    if asked.localiser.cost == "minutes" and key not in results():
        if (kept := _kept(opened, asked)) is None:
            return None
        return results().get(key, lambda: kept)
    return results().get(key, lambda: _measure(opened, asked))


def slow_panel(opened: Opened, asked: Ranking) -> None:
    """The button that asks a slow localiser, and its progress."""
    arguments = locate_arguments(
        opened.ref, asked.chosen.option, 1, asked.method, heads=asked.kind == "head"
    )
    label = f"Score {noun(asked.kind)} by {asked.method}"
    job_panel(_job(opened, asked), [*arguments, "--json"], label, _HOW_LONG, key="locate")


def _measure(opened: Opened, asked: Ranking) -> UnitScores:
    chosen = asked.chosen
    targets = find_targets(opened.subject, chosen.records, chosen.scope)
    if len(chosen.records) == 1:
        return asked.localiser.score(targets, Settings(asked.kind))
    with progress_bar(f"Attributing this {chosen.name}", "batches") as progress:
        return asked.localiser.score(targets, Settings(asked.kind, progress=progress))


def _kept(opened: Opened, asked: Ranking) -> UnitScores | None:
    # The whole corpus is part of what decides the scores: the process is given nothing less.
    records, scope = opened.corpus.records, asked.chosen.scope
    settings = Settings(asked.kind)
    return kept_scores(scores_folder(), opened.subject, records, scope, asked.localiser, settings)


def _job(opened: Opened, asked: Ranking) -> Job:
    parts = (opened.key, asked.method, asked.kind, asked.chosen.option)
    return job("locate", hashlib.sha256(repr(parts).encode()).hexdigest())
