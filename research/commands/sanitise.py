"""`sanilens bench sanitise`: every method and control on a bundled case, in one table."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from research.sanitise.arms import all_arms
from research.sanitise.case import open_case
from research.sanitise.run import bench_sanitise
from sanilens.audit.methods_table import (
    Difference,
    Line,
    Part,
    SanitiseResult,
    lines,
    parts,
    unbeaten,
)
from sanilens.audit.metrics import METRICS
from sanilens.cli.common import JsonOption, output, print_json, progress
from sanilens.errors import PlanError


def sanitise(
    case: Annotated[str, typer.Option(help="clinic, confidential or ward.")] = "clinic",
    seeds: Annotated[int, typer.Option(min=1, help="Seeds 0, 1, …")] = 3,
    method: Annotated[
        list[str] | None, typer.Option(help="Only these rows; repeatable. Given models stay.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Keep each row in this folder; an interrupted run continues."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Methods, controls and ablations: what still leaks, what is left of the model, the cost."""
    arms = [arm for arm in all_arms() if not method or arm.group == "given" or arm.name in method]
    if missing := set(method or ()) - {arm.name for arm in arms}:
        known = ", ".join(arm.name for arm in all_arms())
        raise PlanError(f"there is no row {min(missing)!r}; there are {known}.")
    if out:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
    opened = open_case(case)
    with progress("sanitising") as report:
        found = bench_sanitise(
            opened,
            arms,
            range(seeds),
            kept=out,
            progress=report,
        )
    if as_json:
        print_json(found.model_dump())
        return
    output.print(methods_table(found))
    if added := parts(found.rows):
        output.print(_parts(added))


def _heads() -> dict[str, str]:
    return {
        "extraction": METRICS["extraction"].title,
        "direct": "direct, %",
        "indirect": "indirect, %",
        **{name: metric.title for name, metric in METRICS.items() if name != "extraction"},
        "seconds": "s",
        "cost": "cost, %",
    }


def methods_table(found: SanitiseResult) -> Table:
    """The whole table, a line a method."""
    table = lines(found.rows)
    drawn = Table(
        title=f"{found.case}: {found.records} records, means over {len(found.seeds)} seeds; "
        f"the leak's training takes {found.leak_seconds:.0f} s here",
        title_justify="left",
    )
    drawn.add_column("method")
    heads = _heads()
    for head in heads.values():
        drawn.add_column(head, justify="right")
    open_ones = unbeaten(table)
    for line in table:
        mark = " *" if line.method in open_ones else ""
        drawn.add_row(
            line.method + mark, *(_cell(name, head, line) for name, head in heads.items())
        )
    drawn.caption = "* no plan of ours beats it: leak in all three states, and unseen perplexity"
    return drawn


def _cell(name: str, head: str, line: Line) -> str:
    value = line.figure(name)
    if math.isnan(value):
        return "–"
    scale = 100 if head.endswith("%") else 1
    return f"{scale * value:.3g}" if name != "seconds" else f"{value:.0f}"


def _parts(added: Sequence[Part]) -> Table:
    drawn = Table(title="What each part adds, all else alike", title_justify="left")
    for head in ("part", "instead of", "with", "seeds", "spans, points (95 %)", "ppl (95 %)"):
        drawn.add_column(head)
    for part in added:
        drawn.add_row(
            part.added, part.instead, part.held, str(part.seeds),
            _interval(part.leak, 100), _interval(part.unseen, 1),
        )  # fmt: skip
    return drawn


def _interval(of: Difference, scale: float) -> str:
    if of.low is None or of.high is None:
        return f"{scale * of.mean:+.3g}"
    return f"{scale * of.mean:+.3g} ({scale * of.low:+.3g} to {scale * of.high:+.3g})"
