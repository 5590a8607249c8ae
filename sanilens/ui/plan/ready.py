"""What all requests share is measured while somebody is still being looked up."""

import hashlib

from sanilens.atomic import write_text
from sanilens.case import Case
from sanilens.errors import SaniLensError
from sanilens.locked import locked
from sanilens.runs.execute import kept_already, shared_keys
from sanilens.runs.jobs import Job
from sanilens.runs.planning import Wishes, build_plan
from sanilens.runs.workspace import job
from sanilens.ui import state
from sanilens.ui.job import job_panel
from sanilens.ui.layout import card
from sanilens.unlearn.plan import Plan

# Parameters up to which it is done unasked: seconds of work, and memory that nobody misses.
_SMALL = 50_000_000
_WHAT = (
    "What all requests share: what the untouched models say, the curvature of what must stay, and "
    "what deleting somebody else does."
)
_CANCELLED = "Cancelled. What was measured is kept; the next request measures the rest."


def getting_ready(opened: Case) -> None:
    """Draw how far it is; a small model's is started here, a large one's by its button."""
    people = tuple(sorted({r.subject for r in opened.corpus.records if r.spans}))
    if locked() or not people or opened.model.kind != "causal":
        return
    try:
        plan = build_plan(opened, Wishes(subjects=people[:1], seed=state.run_options().seed))
        if kept_already(plan, opened) == shared_keys(plan, opened).keys():
            return
        own = _job(plan)
        file = own.root / "plan.json"
        arguments = ["prepare", str(file), "--json"]
        if (now := own.status()) != "running":
            write_text(file, plan.model_dump_json())
        # Finished: for an earlier version of ours, or what was kept made room for other things.
        if now in ("waiting", "finished") and _parameters(opened) <= _SMALL:
            own.start(arguments)
    except SaniLensError:  # the person's own card says what is wrong
        return
    with card("Getting ready", "once for these records; requests are then quicker"):
        job_panel(own, arguments, "Measure now", _WHAT, key="ready", cancelled=_CANCELLED)


def stop_getting_ready(plan: Plan) -> None:
    """A run is about to measure the same: two would take twice as long."""
    _job(plan).cancel()


def _job(plan: Plan) -> Job:
    about = [own.model_dump_json() for own in (plan.model, plan.corpus)]
    return job("requests", hashlib.sha256("\n".join(about).encode()).hexdigest())


def _parameters(opened: Case) -> int:
    return sum(own.numel() for own in opened.model.module.parameters())
