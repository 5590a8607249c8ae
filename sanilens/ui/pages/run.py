"""Run: carry out a plan; a reload or a closed browser loses nothing."""

from sanilens.errors import SaniLensError
from sanilens.runs.workspace import find_run
from sanilens.ui import state
from sanilens.ui.commands import run_command
from sanilens.ui.extracted import identifiers
from sanilens.ui.frame import case_bar, opened_case
from sanilens.ui.layout import empty_state, next_step, page_header, show_error
from sanilens.ui.markup import plain
from sanilens.ui.plan.request import summary
from sanilens.ui.run.live import live
from sanilens.ui.run.naming import called
from sanilens.ui.run.runs import run_list

_SUBTITLE = "Carries out a plan; reloading or closing the browser loses nothing."


def page() -> None:
    """Draw the page."""
    if (opened := opened_case("Run", _SUBTITLE, "No run yet.")) is None:
        return
    run = find_run(state.run() or "")
    case_bar(opened, [run_command(run.plan_file, run.root)] if run else ["sanilens run --help"])
    if run is None:
        page_header("Run", _SUBTITLE)
        empty_state(
            "No run is chosen. Make a plan and press **Run this plan**.", "Go to Plan", "plan"
        )
    else:
        try:
            plan, name = run.plan(), called(run, identifiers(opened))
            page_header("Run", f"**{plain(name)}** · {summary(plan)}, seed {plan.seed}.")
            if live(run, plan):
                next_step("The run has finished. See the result beside the controls.", "compare")
        except SaniLensError as error:
            show_error(error)
    run_list(opened)
