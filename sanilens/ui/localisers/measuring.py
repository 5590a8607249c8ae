"""The measurement of the localisers on the open case: its job, its command, its result."""

import hashlib
import json
from typing import Any

from pydantic import TypeAdapter, ValidationError

from sanilens.bench.deletion import DeletionResult
from sanilens.bench.inj import InjResult
from sanilens.bundled import assets_folder
from sanilens.inspect.localisers import LOCALISERS
from sanilens.runs.jobs import Job
from sanilens.runs.workspace import job
from sanilens.ui.opened import Opened
from sanilens.ui.state import BUNDLED_CASES

# The command's output is the two results in one object; what else it holds is ignored here.
_INJ = TypeAdapter(InjResult)
_DELETION = TypeAdapter(DeletionResult)


def measuring_job(opened: Opened) -> Job:
    """The job of this case: another model or corpus is another job."""
    key = hashlib.sha256(f"localisers|{opened.key}".encode()).hexdigest()
    return job("localisers", key)


def arguments(opened: Opened) -> list[str]:
    """`bench inj` of the case, as a person would type it after `sanilens`."""
    ref = opened.ref
    base, unseen = ref.base or ref.model, ref.unseen or ref.control or ref.corpus
    return [
        "bench", "inj", "--model", ref.model, "--base", base,
        "--corpus", ref.corpus, "--unseen", unseen, "--json",
    ]  # fmt: skip


def measured(opened: Opened) -> tuple[InjResult, DeletionResult | None] | None:
    """What the job found, or what comes with a bundled case; None before there is any."""
    found = measuring_job(opened).result() or _shipped(opened)
    if found is None:
        return None
    try:
        deletion = found.get("deletion")
        return (
            _INJ.validate_python(found),
            _DELETION.validate_python(deletion) if deletion else None,
        )
    except ValidationError:
        return None  # written by another version: it is measured anew


def recall_of(opened: Opened, name: str) -> float | None:
    """The share of injected neurons that a localiser found in its worst condition; None if unknown.

    It was measured on neurons: it says nothing of heads.
    """
    found = measured(opened)
    row = found[0].localisers.get(name) if found else None
    return row.least.recall if row else None


def _shipped(opened: Opened) -> dict[str, Any] | None:
    """What the project measured on a bundled case; benchmarks/results/inj.json is the same file.

    Only on that very case: with another corpus or base model it is another measurement.
    """
    case = next((name for name, ref in BUNDLED_CASES.items() if ref == opened.ref), None)
    path = assets_folder() / f"{case}" / "localisers.json"
    return json.loads(path.read_bytes()) if case and path.is_file() else None


def recommended(opened: Opened) -> str | None:
    """The localiser that was measured to be best on this case; None before the measurement."""
    found = measured(opened)
    return found[0].recommended if found else None


def best_quick(opened: Opened) -> str | None:
    """The best measured one that answers at once, so that a page can open with it; else None."""
    if (found := measured(opened)) is None:
        return None
    rows = found[0].localisers
    quick = [n for n in rows if n in LOCALISERS and LOCALISERS[n].cost != "minutes"]
    return max(quick, key=lambda name: rows[name].least.recall, default=None)
