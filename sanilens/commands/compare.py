"""`sanilens compare`: before, after, controls and reference of one run or several."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from sanilens.commands.common import JsonOption, output, print_json, rate_cells
from sanilens.errors import RunError
from sanilens.runs.arms import TITLES, Arm, ArmName, load_arms
from sanilens.runs.folder import RunFolder


def compare(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Run folders.")],
    as_json: JsonOption = False,
) -> None:
    """Print the arms of runs, with n and intervals."""
    found: dict[str, Mapping[ArmName, Arm]] = {}
    for folder in folders:
        RunFolder(folder).plan()
        found[str(folder)] = arms = load_arms(RunFolder(folder).arms)
        if not arms:
            raise RunError(f"{folder.name} has measured nothing yet. Execute it: sanilens run.")
    if as_json:
        print_json({name: {"arms": arms} for name, arms in found.items()})
        return
    for name, arms in found.items():
        output.print(arms_table(arms, name))


def arms_table(arms: Mapping[ArmName, Arm], title: str | None = None) -> Table:
    """Arms as rows: direct and indirect extraction, perplexities, seconds."""
    table = Table(title=title, title_justify="left")
    table.add_column("arm")
    for name in ("direct", "rate", "95 %", "indirect", "rate", "95 %", "ppl unseen", "ppl neutral"):
        table.add_column(name, justify="right")
    table.add_column("s", justify="right")
    for name, arm in arms.items():
        table.add_row(
            TITLES[name],
            *rate_cells(arm.extraction["direct"]),
            *rate_cells(arm.extraction["indirect"]),
            _number(arm.perplexity_unseen),
            _number(arm.perplexity_neutral),
            f"{arm.seconds:.1f}",
        )
    return table


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
