"""Attacks: what others may get out of a run's result, beside the models it is held against."""

import streamlit as st

from sanilens.audit.attacks import ATTACKS
from sanilens.errors import SaniLensError
from sanilens.locked import locked
from sanilens.runs.attacking import Pending, load_attacks
from sanilens.runs.folder import RunFolder
from sanilens.runs.integrity import check
from sanilens.runs.log import read_ledger, recent_events
from sanilens.runs.workspace import find_run, job
from sanilens.ui import state
from sanilens.ui.attacks.cards import attack_card, overview
from sanilens.ui.commands import attack_command
from sanilens.ui.frame import case_bar, opened_case
from sanilens.ui.job import job_panel
from sanilens.ui.layout import card, empty_state, next_step, page_header, show_error
from sanilens.ui.run.naming import of_run
from sanilens.ui.tables import Column, Row, show_table

_SUBTITLE = (
    "Whoever believes nothing tries harder: other prompts, sampling, relearning, fewer bits, a "
    "look inside. Every figure stands beside the reference's, which never saw the details."
)
_HOW_LONG = (
    "Twelve processor minutes on the ward, three where another run has attacked the models that it "
    "is held against. You can close this page; it carries on, and what was found stays."
)

_CANCELLED = (
    "Cancelled. What each attack has found so far stays, and **Attack** goes on from there."
)


def page() -> None:
    """Draw the page."""
    if (opened := opened_case("Attacks", _SUBTITLE, "Nothing to attack yet.")) is None:
        return
    run = find_run(state.run() or "")
    case_bar(opened, [attack_command(run.root)] if run else ["sanilens attack --help"])
    page_header("Attacks", of_run(run, opened, _SUBTITLE) if run else _SUBTITLE)
    if run is None:
        empty_state(
            "No run is chosen. Run a plan, or pick a run on the page Run.", "Go to Run", "run"
        )
        return
    try:
        _attacks(run)
    except SaniLensError as error:
        show_error(error)


def _attacks(run: RunFolder) -> None:
    check(run)
    if not read_ledger(recent_events(run)).finished:
        empty_state("This run has not finished. Its result can be attacked then.", "Run", "run")
        return
    found = load_attacks(run)
    working = job("attacks", run.plan().sha256)
    arguments = ["attack", str(run.root), "--json"]
    left = Pending(run, ATTACKS.values()).attacks
    if (left or working.status() == "running") and not locked():
        title = "One attack is left to try" if len(left) == 1 else f"{len(left)} are left to try"
        with card(title if found else "Not tried yet"):
            again = bool(found)
            job_panel(
                working, arguments, "Attack", _HOW_LONG,
                key="attacks", again=again, cancelled=_CANCELLED,
            )  # fmt: skip
    if not found:
        with card(f"{len(ATTACKS)} attacks", "each on this run's result and on what it is held to"):
            rows = [Row((attack.title, attack.meaning)) for attack in ATTACKS.values()]
            show_table([Column("attack"), Column("what it does", "aside")], rows, "untried")
        return
    with card(
        "What they get", "the first figure of each; as little as the reference gives is enough"
    ):
        overview(found)
    name = st.selectbox(
        "Attack", list(found), format_func=lambda name: ATTACKS[name].title, key="attack-shown"
    )
    attack_card(name, found[name])
    next_step("Back to before and after.", "compare")
