"""Requests for deletion one after another: each run begins with the model that the last one made.

The chain is in the folders: a run's plan names its model, which may be another run's result.
"""

from pathlib import Path

from sanilens.bundled import resolve
from sanilens.runs.folder import RunFolder
from sanilens.runs.integrity import check


def run_of(model: str) -> RunFolder | None:
    """The run whose result a model's source is; None for any other model."""
    folder = Path(resolve(model)).expanduser()
    run = RunFolder(folder.parent)
    return run if folder == run.model and run.plan_file.is_file() else None


def asked_before(model: str) -> tuple[str, ...]:
    """The subjects whose deletion a model has behind it, in order of name; none for most models.

    A run that left an adapter did not change the model, so that nobody is deleted from it.

    Raises:
        IntegrityError: if a run's files are not what it wrote, so that its plan proves nothing.
    """
    found: set[str] = set()
    read: set[Path] = set()
    # A plan file may have been changed to name a later run's result, or its own.
    while (run := run_of(model)) and run.root.resolve() not in read:
        read.add(run.root.resolve())
        check(run)
        plan = run.plan()
        if not run.adapter.exists():
            found |= {*plan.subjects, *plan.earlier}
        model = plan.model.source
    return tuple(sorted(found))
