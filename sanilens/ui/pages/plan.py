"""Plan: what is erased, how the model is repaired, and how that is measured."""

from collections.abc import Callable

import streamlit as st

from sanilens.case import Case
from sanilens.errors import SaniLensError
from sanilens.runs.memory import least_bytes
from sanilens.runs.workspace import run_folder
from sanilens.ui import drafts, state
from sanilens.ui.commands import run_command
from sanilens.ui.frame import case_bar, opened_case
from sanilens.ui.layout import page_header, pair, show_error
from sanilens.ui.numbers import watched
from sanilens.ui.plan.basket import basket_card, controls_card
from sanilens.ui.plan.erase import keep_card
from sanilens.ui.plan.expected import takes
from sanilens.ui.plan.frontier import frontier_card
from sanilens.ui.plan.repair import repair_card
from sanilens.ui.plan.request import current_plan, file_card, run_button, summary
from sanilens.ui.plan.rewrite import rewrite_card
from sanilens.ui.plan.strategy import by_hand, strategy_card, suggestion
from sanilens.ui.plan.tracks import tracks_card
from sanilens.ui.plan.whatif import whatif_card
from sanilens.ui.plan.whose import whose_card
from sanilens.unlearn.plan import Plan


def page() -> None:
    """Draw the page."""
    if (
        opened := opened_case(
            "Plan",
            "What is erased, how the model is repaired, and how that is measured.",
            "Nothing to plan yet.",
        )
    ) is None:
        return
    state.suggest(suggestion(opened))
    if state.repair().needs_base and opened.base is None:
        page_header("Plan", "This repair needs a base model, and the case has none.")
        repair_card(opened)
        return
    try:
        plan = current_plan(opened)
        warning = opened.base_warning if plan.leans_on_base else None
    except SaniLensError as error:
        page_header("Plan", "What is erased, how the model is repaired, and how that is measured.")
        show_error(error)
        st.button("Undo", key="plan-undo-units", on_click=drafts.undo)
        return
    run = run_folder(plan)
    case_bar(opened, [run_command(run.plan_file, run.root)])
    head, action = st.columns([4, 1], vertical_alignment="center")
    with head:
        page_header("Plan", f"Plan `{plan.sha256[:8]}` · {summary(plan)}.")
        costs = st.empty()
    if warning:
        st.warning(f"{warning[:1].upper()}{warning[1:]}")
    size = least_bytes(opened, plan)
    worded = f"{size / 1e9:.2g} GB" if size >= 1e9 else f"{size / 1e6:,.0f} MB"
    memory = f"Needs at least {worded} of memory."
    costs.caption(memory)
    with watched() as wrong:
        tell_minutes = _body(opened, plan)
    with action, st.container(horizontal_alignment="right"):
        run_button(plan, wrong)
    if not plan.changes_nothing:  # last, since measuring it takes a second or more
        costs.caption(f"{takes(opened, plan)} {memory}")
    tell_minutes()


def _body(opened: Case, plan: Plan) -> Callable[[], None]:
    left, right = pair("plan", (1.5, 1))
    with left:
        whose_card(opened)
        tell_minutes = strategy_card(opened)
    with right:
        tracks_card(opened)
    chosen = by_hand()
    turned = state.is_new("plan-by-hand", chosen)
    if chosen and (turned or "plan-by-hand" not in st.session_state):
        st.session_state["plan-by-hand"] = True  # opened once; then it is as it was left
    with st.expander(
        "By hand: units, rewriting, repair, controls, the plan's file",
        key="plan-by-hand",
        on_change="rerun",
    ):
        _parts(opened, plan)
    return tell_minutes


def _parts(opened: Case, plan: Plan) -> None:
    left, right = pair("parts", (1.25, 1))
    with left:
        basket_card(opened)
        rewrite_card(opened)
        keep_card(opened)
    with right:
        repair_card(opened)
        controls_card()
        file_card(opened, plan)
    if plan.rewrite:
        frontier_card(opened)
    whatif_card(opened)
