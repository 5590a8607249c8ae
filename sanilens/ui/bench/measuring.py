"""The bench of a bundled case: its job, what the job found, what was measured beforehand."""

import hashlib
from pathlib import Path

from pydantic import ValidationError

from sanilens.bench.sanitise.run import SanitiseResult
from sanilens.bundled import assets_folder
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
    """The table, and whether this machine measured it; else the shipped one; None without any."""
    if found := bench_job(case).result():
        try:
            return SanitiseResult.model_validate(found), True
        except ValidationError:
            pass  # written by another version: it is measured anew
    shipped = shipped_result(case)
    return (shipped, False) if shipped else None


def shipped_result(case: str) -> SanitiseResult | None:
    """What the project measured; benchmarks/results holds the same file."""
    path: Path = assets_folder() / case / "sanitise.json"
    return SanitiseResult.model_validate_json(path.read_bytes()) if path.is_file() else None
