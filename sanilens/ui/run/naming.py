"""What a run is called on the pages: its own name, or one made of its plan and its day."""

import time
from collections import Counter
from collections.abc import Sequence

from sanilens.audit.continuations import Identifiers
from sanilens.case import Case
from sanilens.errors import SaniLensError
from sanilens.runs.folder import RunFolder
from sanilens.runs.identity import Identity, read_identity
from sanilens.runs.workspace import run_of
from sanilens.ui.compare.history import who
from sanilens.ui.current_case import name_of
from sanilens.ui.extracted import identifiers
from sanilens.ui.markup import plain
from sanilens.unlearn.plan import Plan


def identity_of(run: RunFolder) -> Identity:
    """What its owner calls it; a name that says so where that cannot be read."""
    try:
        return read_identity(run)
    except SaniLensError:
        return Identity(name=f"{run.short_name} (name cannot be read)")


def called_apart(runs: Sequence[RunFolder], known: Identifiers) -> dict[RunFolder, str]:
    """What several are called, and which is which where names are alike."""
    names = {run: called(run, known) for run in runs}
    alike = Counter(names.values())
    return {
        run: name if alike[name] == 1 else f"{name} ({run.root.name[:6]})"
        for run, name in names.items()
    }


def called(run: RunFolder, known: Identifiers) -> str:
    """Its name; where nobody gave it one, what its folder or its plan says.

    Args:
        run: the run.
        known: what may not stand in a name.
    """
    if name := identity_of(run).name:
        return name
    if run.short_name == run.root.name:  # no hash: somebody chose the folder's name
        return run.short_name
    try:
        plan = run.plan()
    except SaniLensError:
        return run.short_name
    made = time.localtime(run.plan_file.stat().st_mtime)
    day = f"{made.tm_mday} {time.strftime('%b', made)}"
    return f"{who(plan.subjects, known) or 'everyone'}, {in_few_words(plan)}, {day}"


def of_run(run: RunFolder, opened: Case, what: str) -> str:
    """A page's second line, in Markdown: which run it is about, then what the page shows."""
    return f"**{plain(called(run, identifiers(opened)))}** · {what}"


def examined(opened: Case) -> str:
    """What the open case's model is called; one that a run made, by that run's name."""
    run = run_of(opened.sources.model)
    return f"result of {called(run, identifiers(opened))}" if run else name_of(opened)


def in_few_words(plan: Plan) -> str:
    """`10 % kept + anchored`: the parts of a plan, shortly."""
    parts = [f"{100 * plan.keep:g} % kept"] * (plan.keep < 1)
    parts += ["rewritten"] * (plan.rewrites_all == "first")
    parts += [f"{len(plan.edits):,} units"] * bool(plan.edits)
    parts += [plan.repair.method] * plan.repair.trains
    return " + ".join(parts) or "nothing"
