"""What a person calls a run: a name, a note, whether it is put away; and how a run is deleted.

They stand beside the run, are no part of what it decides, and may be changed at any time.
"""

import os
import shutil
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sanilens.atomic import write_text
from sanilens.errors import IntegrityError, RunError, SaniLensError
from sanilens.locked import refuse_if_locked
from sanilens.runs.folder import RunFolder, open_plain
from sanilens.runs.former import later_requests
from sanilens.runs.record import record_since

_LARGEST = 64 * 2**10


class Identity(BaseModel):
    """A run's name and note, by whoever started it; empty until somebody gives them."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Annotated[str, Field(max_length=80)] = ""
    note: Annotated[str, Field(max_length=1000)] = ""
    archived: bool = False


def read_identity(run: RunFolder) -> Identity:
    """What a run is called.

    Raises:
        IntegrityError: if the file that says so is damaged.
    """
    if not os.path.lexists(run.identity_file):
        return Identity()
    with open_plain(run.identity_file) as file:
        text = file.read(_LARGEST)
    try:
        return Identity.model_validate_json(text)
    except ValidationError as error:
        raise IntegrityError(
            f"{run.root.name}: {run.identity_file.name} is damaged. Remove it, and name the run "
            "anew."
        ) from error


def save_identity(run: RunFolder, identity: Identity) -> None:
    """Keep it.

    Raises:
        RunError: if this app is locked.
    """
    refuse_if_locked()
    write_text(run.identity_file, identity.model_dump_json(indent=1) + "\n")


def what_goes(run: RunFolder) -> str:
    """What deleting a run takes with it, in a sentence."""
    size = sum(p.lstat().st_size for p in run.root.rglob("*") if p.is_file() and not p.is_symlink())
    parts = ["its plan, log and figures"]
    parts += ["its model"] * run.model.exists()
    parts += ["its adapter"] * run.adapter.exists()
    parts += ["what undoing it needs"] * run.former.exists()
    return f"{', '.join(parts[:-1])}{' and ' * (len(parts) > 1)}{parts[-1]}: {size / 1e6:,.1f} MB"


def delete_run(run: RunFolder) -> None:
    """Delete a run's folder with everything in it.

    Raises:
        RunError: if it is being executed, if a later request stands on its model, if the folder
            cannot be deleted, or if this app is locked.
    """
    refuse_if_locked()
    if run.is_running():
        raise RunError(f"{run.root.name} is being executed. Cancel it first.")
    if later := later_requests(run):
        raise RunError(
            f"{later[0].root.name} began with the model of {run.root.name}. Delete or undo the "
            "later one first."
        )
    if run.root.is_symlink():
        raise RunError(f"{run.root.name} is a link, not a run's own folder. Remove it by hand.")
    try:
        plan = run.plan()
    except SaniLensError:  # damaged: it may go all the same
        plan = None
    try:
        shutil.rmtree(run.root)
    except OSError as error:
        raise RunError(f"{run.root.name} cannot be deleted ({error.strerror}).") from error
    if plan:
        record_since("deleted", plan)
