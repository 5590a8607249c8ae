"""The choice of spans, localiser and kind of unit; and the scores that follow from it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import streamlit as st

from sanilens.audit.targets import Scope, find_targets
from sanilens.case import Case
from sanilens.corpus.records import Record
from sanilens.errors import PlanError
from sanilens.inspect.locate.localisers import LOCALISERS, Localiser, Settings, find_localiser
from sanilens.inspect.locate.score_cache import kept_scores
from sanilens.inspect.locate.scores import FeatureScores, UnitScores, feature_scores
from sanilens.model.units import Feature, UnitKind, kind_of
from sanilens.runs.workspace import job, known_saes, scores_folder
from sanilens.ui import state
from sanilens.ui.commands import features_command, locate_arguments, locate_command
from sanilens.ui.inspect.measured import unit_named
from sanilens.ui.inspect.selection import Shown, forget_unit
from sanilens.ui.job import job_panel, progress_bar
from sanilens.ui.localisers.measuring import best_quick, recommended
from sanilens.ui.results import results
from sanilens.ui.saes import sae_ids, sae_of

ScopeName = Literal["span", "label", "subject", "corpus"]
SCOPES: tuple[ScopeName, ...] = get_args(ScopeName)
_KEY = "scope"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A scope, the records that hold its spans, and the option that names it in a command."""

    name: ScopeName
    scope: Scope
    records: tuple[Record, ...]
    option: tuple[str, str] | None


def scope_switch() -> None:
    """Draw the switch between scopes; `chosen_name` reads it, also before it is drawn."""
    st.segmented_control(
        "Scope",
        SCOPES,
        default=SCOPES[0],
        required=True,
        format_func=lambda name: state.noun() if name == "subject" else name,
        key=_KEY,
        label_visibility="collapsed",
        persist_state="session",
    )


def chosen_name() -> ScopeName:
    """The scope chosen by the switch."""
    return st.session_state.get(_KEY, SCOPES[0])


def chosen_scope(opened: Case, at: Shown, name: ScopeName) -> Chosen:
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


Kind = Literal["mlp", "head", "sae"]
Scores = UnitScores | FeatureScores

_METHOD, _KIND, _SAE = "inspect-localiser", "inspect-kind", "inspect-sae"
_NOUNS: dict[Kind, str] = {"mlp": "neurons", "head": "heads", "sae": "features"}
DEFAULT = "gradient-activation"
_HOW_LONG = (
    "Asks the model many times: minutes for a corpus, less for one span. You can close this page; "
    "it carries on, and its result is kept."
)


@dataclass(frozen=True, slots=True)
class Ranking:
    """What to rank: a kind of unit, by a localiser, for some spans.

    `sae` is the autoencoder whose features are ranked; None for units of the model.
    """

    method: str
    kind: UnitKind
    chosen: Chosen
    sae: str | None = None

    @property
    def localiser(self) -> Localiser:
        """The localiser of neurons and heads."""
        return find_localiser(self.method)

    @property
    def title(self) -> str:
        """How the scores are made, in a few words."""
        return "gradient × activation of each feature" if self.sae else self.localiser.title

    def command(self, opened: Case, top: int) -> str:
        """The command that prints the same ranking."""
        ref, option = opened.sources, self.chosen.option
        if self.sae:
            source = known_saes(opened.model).get(self.sae, self.sae)
            return features_command(ref, source, option, top)
        return locate_command(ref, option, top, self.method, heads=self.kind == "head")


def noun(kind: Kind) -> str:
    """`neurons`, `heads` or `features`."""
    return _NOUNS[kind]


def ranking(opened: Case, chosen: Chosen) -> Ranking:
    """What the page's controls say, also before they are drawn.

    Opening a unit, by address or click, turns the switch to its kind.
    """
    now, ids = st.session_state, sae_ids(opened)
    if _METHOD not in now:
        now[_METHOD] = best_quick(opened) or DEFAULT
    unit = unit_named(opened, state.selection().unit)
    if isinstance(unit, Feature):
        now[_KIND], now[_SAE] = "sae", unit.sae
    elif unit:
        now[_KIND] = kind_of(unit)
    if now.get(_KIND) not in _kinds(ids):
        now[_KIND] = "mlp"
    if now.get(_SAE) not in ids and ids:
        now[_SAE] = ids[0]
    if now[_KIND] == "sae":
        return Ranking(now[_METHOD], "mlp", chosen, now[_SAE])
    return Ranking(now[_METHOD], now[_KIND], chosen)


def _kinds(sae_ids: Sequence[str]) -> tuple[Kind, ...]:
    return ("mlp", "head", "sae") if sae_ids else ("mlp", "head")


def kind_switch(opened: Case) -> None:
    """Draw the switch: neurons, heads, and features where there is an autoencoder."""
    st.segmented_control(
        "Units",
        _kinds(sae_ids(opened)),
        required=True,
        key=_KIND,
        format_func=noun,
        label_visibility="collapsed",
        on_change=forget_unit,
        persist_state="session",
    )


def sae_box(opened: Case) -> None:
    """Draw the choice of an autoencoder."""
    st.selectbox(
        "Autoencoder",
        sae_ids(opened),
        key=_SAE,
        format_func=lambda name: f"sae.{name}",
        label_visibility="collapsed",
        width="stretch",
        on_change=forget_unit,
        persist_state="session",
    )


def localiser_box(opened: Case) -> None:
    """Draw the choice of a localiser; the one that did best on this case is marked.

    For heads none is: they were not measured.
    """
    best = recommended(opened) if st.session_state.get(_KIND) == "mlp" else None

    def named(name: str) -> str:
        slow = find_localiser(name).cost != "seconds"
        marks = [mark for mark, on in (("recommended", name == best), ("slow", slow)) if on]
        return f"{name} ({', '.join(marks)})" if marks else name

    st.selectbox(
        "Localiser",
        list(LOCALISERS),
        key=_METHOD,
        format_func=named,
        label_visibility="collapsed",
        width="stretch",
        persist_state="session",
    )


def scores(opened: Case, asked: Ranking) -> Scores | None:
    """The score of every unit; None until a slow localiser was started."""
    if asked.sae:
        return _feature_scores(opened, asked.sae, asked.chosen)
    key = ("scores", opened.key, asked.method, asked.kind, asked.chosen.scope)
    if asked.localiser.cost != "seconds" and key not in results():
        if (kept := _kept(opened, asked)) is None:
            return None
        return results().get(key, lambda: kept)
    return results().get(key, lambda: _measure(opened, asked))


def slow_panel(opened: Case, asked: Ranking) -> None:
    """Draw the button that starts a slow localiser, and its progress."""
    arguments = locate_arguments(
        opened.sources, asked.chosen.option, 1, asked.method, heads=asked.kind == "head"
    )
    label = f"Score {noun(asked.kind)} by {asked.method}"
    parts = (opened.key, asked.method, asked.kind, asked.chosen.option)
    own = job("locate", hashlib.sha256(repr(parts).encode()).hexdigest())
    job_panel(own, [*arguments, "--json"], label, _HOW_LONG, key="locate")


def _measure(opened: Case, asked: Ranking) -> UnitScores:
    chosen = asked.chosen
    targets = find_targets(opened.model, chosen.records, chosen.scope)
    if len(chosen.records) == 1:
        return asked.localiser.score(targets, Settings(asked.kind))
    with progress_bar(f"Scoring units for this {chosen.name}", "batches") as progress:
        return asked.localiser.score(targets, Settings(asked.kind, progress=progress))


def _feature_scores(opened: Case, sae_id: str, chosen: Chosen) -> FeatureScores:
    sae = sae_of(opened, sae_id)
    if sae is None:
        raise PlanError(f"the folder of sae.{sae_id} is gone. Choose another autoencoder.")
    key = ("feature scores", opened.key, sae.fingerprint, chosen.scope)
    with st.spinner(f"Scoring features for this {chosen.name}…"):
        return results().get(
            key, lambda: feature_scores(opened.model, sae, chosen.records, chosen.scope)
        )


def _kept(opened: Case, asked: Ranking) -> UnitScores | None:
    # The whole corpus decides the scores: the process is given all of it too.
    records, scope = opened.corpus.records, asked.chosen.scope
    settings = Settings(asked.kind)
    return kept_scores(scores_folder(), opened.model, records, scope, asked.localiser, settings)
