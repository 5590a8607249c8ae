"""The plan that the page shows, and the plan as a file: download, upload, run."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from markupsafe import Markup

from sanilens.case import Case
from sanilens.errors import SaniLensError
from sanilens.runs.jobs import start
from sanilens.runs.planning import Wishes, build_plan
from sanilens.runs.workspace import run_folder
from sanilens.ui import state
from sanilens.ui.commands import run_command
from sanilens.ui.layout import card, show_error
from sanilens.ui.markup import show
from sanilens.ui.navigation import page
from sanilens.ui.numbers import why_not
from sanilens.ui.plan.erase import without_base
from sanilens.ui.plan.ready import stop_getting_ready
from sanilens.ui.saes import dictionaries_of
from sanilens.ui.state import RunOptions
from sanilens.unlearn.plan import Plan, read_plan

_FACT = Markup('<div class="sl-fact"><span>SHA-256</span><code class="sl-hash">{}</code></div>')


def current_plan(opened: Case) -> Plan:
    """The plan that the page shows."""
    options = state.run_options()
    wishes = Wishes(
        edits=state.basket(),
        repair=state.repair(),
        audit=state.audit_settings(),
        # A case may be opened without the base that a plan of before went back to.
        keep=state.keep() if opened.base else 1.0,
        rewrite=state.rewriting() or False,
        subjects=state.subjects(),
        controls=options.controls,
        seed=options.seed,
        dictionaries=dictionaries_of(opened, state.basket()),
    )
    return build_plan(opened, wishes)


def summary(plan: Plan) -> str:
    """`20 % of the fine-tuning kept, 460 units reset, 2 epochs of surrogate repair`."""
    operations = sorted({edit.operation for edit in plan.edits})
    units = len(plan.edits)
    done = f"{units:,} unit{'s' * (units != 1)} {', '.join(operations)}" if units else "no edit"
    if plan.rewrites_all == "first":
        done = "all weights rewritten" if done == "no edit" else f"all weights rewritten, {done}"
    if plan.keep < 1:
        done = f"{100 * plan.keep:g} % of the fine-tuning kept, {done}"
    if count := len(plan.subjects):
        done = f"{state.counted(count)} only, {done}"
    repair = plan.repair
    if repair.method == "none":
        return f"{done}, no repair"
    done += f", {repair.epochs} epoch{'s' * (repair.epochs != 1)} of {repair.method} repair"
    last = ", what is still said rewritten" if plan.rewrites_all == "afterwards" else ""
    return done + last


def file_card(opened: Case, plan: Plan) -> None:
    """Draw the hash and the command, and the plan's download and upload."""
    run = run_folder(plan)
    with card("Plan file", "everything that decides the run, and no text of the corpus"):
        show(_FACT.format(plan.sha256))
        st.code(run_command(run.plan_file, run.root), language="bash", wrap_lines=True)
        with st.container(horizontal=True, gap="small"):
            st.download_button(
                "Download plan",
                plan.model_dump_json(indent=1),
                f"plan-{plan.sha256[:12]}.json",
                "application/json",
                key="plan-download",
                on_click="ignore",
            )
            with st.popover("Upload a plan…"):
                _upload(opened, plan)


def run_button(plan: Plan, wrong: Sequence[str]) -> None:
    """The page's primary button: write the plan, start its process, go to Run.

    It is held back while fields are `wrong`, and says which.
    """
    nothing = plan.changes_nothing
    clicked = st.button(
        "Run this plan",
        type="primary",
        key="plan-run",
        disabled=nothing or bool(wrong),
        help="Choose units or a repair first." if nothing else None,
    )
    why_not(wrong)
    if clicked:
        start_run(plan)


def start_run(plan: Plan) -> None:
    """Write the plan, start its process, go to Run; or say why not."""
    run = run_folder(plan)
    try:
        stop_getting_ready(plan)
        start(run, plan)
    except SaniLensError as error:
        show_error(error)
        return
    state.set_run(run.root.name)
    st.switch_page(page("run"))


def _upload(opened: Case, current: Plan) -> None:
    file = st.file_uploader("A plan file (JSON)", type="json", key="plan-upload")
    if file is None:
        st.caption("It replaces the units and the settings on this page.")
        return
    try:
        plan = parse(file.getvalue())
    except SaniLensError as error:
        show_error(error)
        return
    differs = [
        role
        for role in ("model", "base", "corpus")
        if getattr(plan, role) and getattr(plan, role) != getattr(current, role)
    ]
    if differs:
        st.warning(
            f"This plan was made for another {' and '.join(differs)}. You can use its units and "
            "settings here; that makes another plan."
        )
    if plan.keep < 1 and opened.base is None:
        st.warning(without_base(plan.keep))
    st.button("Use this plan", key="plan-take", type="primary", on_click=take_plan, args=(plan,))


def parse(content: bytes) -> Plan:
    """An uploaded plan.

    Raises:
        PlanError: naming the field and the remedy.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        path.write_bytes(content)
        return read_plan(path)


def take_plan(plan: Plan) -> None:
    """Put a plan's units, settings and subjects in the place of the page's."""
    state.set_basket(plan.edits)
    state.set_repair(plan.repair)
    state.set_audit_settings(plan.audit)
    state.set_keep(plan.keep)
    state.set_rewriting(plan.rewrite)
    state.set_subjects(plan.subjects)
    state.set_run_options(RunOptions(plan.controls, plan.seed))
