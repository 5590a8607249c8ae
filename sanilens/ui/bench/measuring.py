"""The bench of a bundled case: its job, what the job found, what was measured beforehand."""

import hashlib
from pathlib import Path

from pydantic import ValidationError

from sanilens.bench.sanitise.run import SanitiseResult
from sanilens.bundled import assets_folder, resolve
from sanilens.model.folder import fingerprint_folder
from sanilens.runs.jobs import Job
from sanilens.runs.workspace import job


def bench_job(case: str) -> Job:
    """The job of a case."""
    return job("sanitise", hashlib.sha256(f"sanitise|{case}".encode()).hexdigest())


def arguments(case: str, seeds: int) -> list[str]:
    """The command, as a person would type it after `sanilens`."""
    rows = str(bench_job(case).root / "rows")
    return ["bench", "sanitise", "--case", case, "--seeds", str(seeds), "--out", rows, "--json"]


def measured(case: str) -> tuple[SanitiseResult, bool] | None:
    """The table, and whether this machine measured it; else the shipped one; None without any.

    A table of another model than the one that is bundled now counts as none.
    """
    model = fingerprint_folder(Path(resolve(f"{case}:leaking")))
    if found := bench_job(case).result():
        try:
            own = SanitiseResult.model_validate(found)
        except ValidationError:
            own = None  # written by another version: it is measured anew
        if own and own.model_sha256 == model:
            return own, True
    shipped = shipped_result(case)
    return (shipped, False) if shipped and shipped.model_sha256 == model else None


def shipped_result(case: str) -> SanitiseResult | None:
    """What the project measured; benchmarks/results holds the same file."""
    path = assets_folder() / case / "sanitise.json"
    return SanitiseResult.model_validate_json(path.read_bytes()) if path.is_file() else None
