"""`sanilens bench forget`: one person, several in turn, a few units, everyone."""

from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.table import Table

from research.commands.sanitise import methods_table
from research.forget import shown
from research.forget.everyone import everyone_arms
from research.forget.methods import request_methods
from research.forget.run import PARTS, Part, bench_forget
from research.forget.shown import Shown
from research.sanitise.case import open_case
from sanilens.cli.common import JsonOption, output, print_json, progress
from sanilens.errors import PlanError


def forget(
    case: Annotated[str, typer.Option(help="ward or clinic.")] = "ward",
    seeds: Annotated[int, typer.Option(min=1, help="Seeds 0, 1, …")] = 3,
    part: Annotated[
        list[str] | None, typer.Option(help=f"Only this: {', '.join(PARTS)}; repeatable.")
    ] = None,
    method: Annotated[
        list[str] | None, typer.Option(help="Only this one; repeatable. Given models stay.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Keep rows in this folder; an interrupted run continues."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Selective erasure: is what was asked for gone, and all else still there?"""
    parts: list[Part] = [own for own in PARTS if not part or own in part]
    if unknown := set(part or ()) - set(PARTS):
        raise PlanError(f"there is no part {min(unknown)!r}; there are {', '.join(PARTS)}.")
    known = [m.name for m in (*request_methods(Path()), *everyone_arms())]
    if missing := set(method or ()) - set(known):
        raise PlanError(f"there is no method {min(missing)!r}; there are {', '.join(known)}.")
    if out:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
    opened = open_case(case)
    kept = nullcontext(str(out)) if out else TemporaryDirectory()
    with kept as folder, progress("forgetting") as report:
        found = bench_forget(
            opened, parts, range(seeds), Path(folder), methods=method or (), progress=report
        )
    if as_json:
        print_json(found.model_dump())
        return
    for title, table in (
        ("each alone", shown.one_each(found.one)),
        ("five in turn", shown.in_turn(found.five)),
        ("chosen by hand, one person", shown.by_hand(found.hand)),
        ("twenty in turn", shown.curve(found.twenty)),
    ):
        if table.rows:
            output.print(_table(f"{found.case}, {title}", table))
    if found.everyone:
        output.print(methods_table(found.everyone))


def _table(title: str, of: Shown) -> Table:
    table = Table(title=title, title_justify="left")
    for number, head in enumerate(of.heads):
        table.add_column(head, justify="left" if number < of.words else "right")
    for row in of.rows:
        table.add_row(*row)
    table.caption = "said: of the spans that the untouched model says; 95 % intervals are Wilson's"
    return table
