"""`sanilens gate`: does a run reach what was agreed? For a pipeline, by its exit status."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from sanilens.atomic import write_text
from sanilens.cli.common import JsonOption, output, print_json
from sanilens.errors import PlanError
from sanilens.evidence.build import build_evidence
from sanilens.evidence.bundle import run_in
from sanilens.evidence.gate import SAMPLE, Judged, judge, read_criteria

_STYLES = {"pass": "green", "fail": "bold red", "not measured": "yellow"}


def gate(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR... CRITERIA", help="Runs or bundles, and a YAML file of criteria."
        ),
    ],
    sample: Annotated[
        bool, typer.Option("--sample", help="Write a sample to CRITERIA, and stop.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Judge runs by criteria; exits with 4 if one fails, else with 5 if one is not measured."""
    *folders, file = paths
    if sample:
        if file.exists():
            raise PlanError(f"{file.name} is there already.")
        write_text(file, SAMPLE.read_text("utf-8"))
        return
    if not folders:
        raise PlanError("Give run folders, then the file of criteria.")
    criteria = read_criteria(file)
    found = {str(folder): judge(build_evidence(run_in(folder)), criteria) for folder in folders}
    if as_json:
        print_json({name: [_fields(j) for j in own] for name, own in found.items()})
    else:
        output.print(_table(found))
    outcomes = {j.outcome for own in found.values() for j in own}
    if outcomes != {"pass"}:
        raise typer.Exit(4 if "fail" in outcomes else 5)


def _fields(judged: Judged) -> dict[str, str]:
    return {
        "name": judged.name, "outcome": judged.outcome, "found": judged.found,
        "threshold": judged.threshold, "figure": judged.reading,
    }  # fmt: skip


def _table(found: dict[str, list[Judged]]) -> Table:
    """A row a criterion, a column a run."""
    table = Table()
    table.add_column("criterion")
    table.add_column("threshold")
    for name in found:
        table.add_column(Path(name).name)
    for row in zip(*found.values(), strict=True):
        cells = [Text.assemble((j.outcome, _STYLES[j.outcome]), f"\n{j.found}") for j in row]
        table.add_row(row[0].name, row[0].threshold, *cells)
    return table
