"""What a plan begins with: whole plans that suit the case, the one measured best chosen already.

Everything else on the page is one level deeper: whoever changes a part has a plan of their own.
"""

from collections.abc import Callable, Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from sanilens.case import Case
from sanilens.errors import SaniLensError
from sanilens.glossary import meaning
from sanilens.runs.planning import Wishes, build_plan
from sanilens.ui import state
from sanilens.ui.layout import card
from sanilens.ui.plan.expected import how_long
from sanilens.ui.state import Parts, RunOptions
from sanilens.ui.tables import Column, Row, show_table
from sanilens.unlearn.choose import NoUnits, random_share
from sanilens.unlearn.plan import NO_REPAIR, Operation, Repair, UnitEdit
from sanilens.unlearn.suggest import (
    REWRITTEN_BY_HAND,
    Preset,
    find_preset,
    start_by_hand,
    strategies,
)

_OWN = "own"
_NBSP = "\N{NO-BREAK SPACE}"


def suggestion(opened: Case) -> Parts:
    """What holds of every part of the plan that nobody chose.

    Of a plan that is built by hand the repair follows the operations on its units; weights that
    are only rewritten do without one.
    """
    edited: set[Operation] = {edit.operation for edit in state.basket()}
    chosen = state.chosen()
    if not edited and chosen.keep is None and chosen.rewriting is None:
        best = _suited(opened)[0]
        if best.units == NoUnits():
            return _parts(best, opened)
    if not edited and chosen.rewriting and chosen.keep in (None, 1):
        return Parts(Repair(method=NO_REPAIR))
    return Parts(find_preset(start_by_hand(opened.model.kind, edited)).repair(opened.base))


def strategy_card(opened: Case) -> Callable[[], None]:
    """Draw the whole plans to choose from; a plan built otherwise is the user's own.

    Returns:
        what fills in how long each takes here: to be called last, since that is measured.
    """
    suited = {preset.name: preset for preset in _suited(opened)}
    now = _now(opened)
    names = [*suited, *([_OWN] if now == _OWN else [])]
    with card("Strategy", "measured best first"):
        st.session_state["plan-strategy"] = now
        st.radio(
            "Strategy",
            names,
            format_func=lambda name: suited[name].title if name in suited else "Your own plan",
            captions=[
                suited[name].description
                if name in suited
                else "Parts below were changed by hand. Undo takes a change back."
                for name in names
            ],
            key="plan-strategy",
            label_visibility="collapsed",
            on_change=_choose,
            args=(opened,),
        )
        place = st.empty()
        _figures(place, suited, {})
    return lambda: _figures(place, suited, {n: _takes(opened, p) for n, p in suited.items()})


def by_hand() -> bool:
    """Whether parts of the plan were chosen one by one, or are just being found."""
    own = st.session_state.get("plan-strategy") == _OWN or "plan-wanted" in st.session_state
    return own or bool(state.basket()) or state.run_options() != RunOptions()


def _figures(place: DeltaGenerator, suited: Mapping[str, Preset], takes: Mapping[str, str]) -> None:
    """Each plan's figures, and where they were measured."""
    columns = [
        Column("expected"),
        Column("still said", help="Of the spans asked for, after the plan."),
        Column("the rest of the model", help=meaning("knowledge kept")),
        Column("takes here", help="On this computer, controls included: an estimate."),
        Column("measured", "aside", help="The figures stand in benchmarks/README.md."),
    ]
    rows = [
        Row(
            (
                preset.title,
                (own := preset.measured).left,
                f"{own.kept}; {own.beside}" if own.beside else own.kept,
                takes.get(name, "…").replace(" ", _NBSP),
                own.where or "–",
            )
        )
        for name, preset in suited.items()
    ]
    with place.container():
        show_table(columns, rows, "strategies")


def _takes(opened: Case, preset: Preset) -> str:
    """How long the whole run of such a plan takes; which units it edits makes no difference."""
    edits: tuple[UnitEdit, ...] = ()
    if preset.units != NoUnits():
        units = random_share(opened.model.sites, "mlp", 0.01, None)
        operation = preset.operation or "zero"
        edits = tuple(UnitEdit(unit=str(unit), operation=operation) for unit in units)
    wishes = Wishes(
        edits=edits,
        repair=preset.repair(opened.base),
        keep=preset.keep,
        rewrite=preset.rewrite or False,
        subjects=state.subjects(),
        audit=state.audit_settings(),
        controls=state.run_options().controls,
        seed=state.run_options().seed,
    )
    try:
        return how_long(opened, build_plan(opened, wishes))
    except SaniLensError:
        return "not measured"


def wanted() -> str | None:
    """A preset that was just chosen and whose units are still to be found, by name."""
    return st.session_state.pop("plan-wanted", None)


def by_units(opened: Case) -> str:
    """The preset that finds units in such a case, by name."""
    found = (preset.name for preset in _suited(opened) if preset.units != NoUnits())
    return next(found, REWRITTEN_BY_HAND)


def _choose(opened: Case) -> None:
    name = st.session_state["plan-strategy"]
    if name == _OWN:
        return
    preset = find_preset(name)
    if preset.units != NoUnits():
        st.session_state["plan-wanted"] = name
        return
    state.set_basket(())
    best = name == _suited(opened)[0].name
    state.set_chosen(Parts() if best else _parts(preset, opened))


def _now(opened: Case) -> str | None:
    """The strategy that the page's plan is, by its parts; of units any choice will do.

    None where nothing was chosen, and what suits best has yet to find its units.
    """
    edits = state.basket()
    own = state.repair(), state.keep(), state.rewriting()
    for preset in _suited(opened):
        same = own == (preset.repair(opened.base), preset.keep, preset.rewrite)
        if same and bool(edits) == (preset.units != NoUnits()):
            return preset.name
    return _OWN if edits or state.chosen() != Parts() else None


def _parts(preset: Preset, opened: Case) -> Parts:
    return Parts(preset.repair(opened.base), preset.keep, preset.rewrite or False)


def _suited(opened: Case) -> list[Preset]:
    asked = opened.model.kind == "causal" and not state.subjects()
    knows = asked and opened.base_knows
    names = strategies(opened.model.kind, state.subjects(), base_knows=knows)
    return [find_preset(name) for name in names]
