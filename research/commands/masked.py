"""`sanilens bench masked`: a small BERT that fills in people, before and after repairs."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from research.masked.run import MaskedRow, bench_masked
from sanilens.audit.summary import RateTable
from sanilens.cli.common import JsonOption, output, print_json, say


def masked(
    out: Annotated[Path, typer.Option(help="Folder of the models, trained unless they are there.")],
    seeds: Annotated[int, typer.Option(min=1, help="Seeds 0, 1, …")] = 3,
    as_json: JsonOption = False,
) -> None:
    """A masked language model: what repairs leave of the people whom it fills in."""
    found = bench_masked(out, range(seeds), say)
    if as_json:
        print_json(found.model_dump())
        return
    output.print(_table("everyone", found.rows))
    output.print(_table("each alone", found.people))


def _table(title: str, rows: tuple[MaskedRow, ...]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("model")
    for head in ("seed", "at once", "one by one", "others", "perplexity", "kept", "s"):
        table.add_column(head, justify="right")
    for row in rows:
        table.add_row(
            f"{row.method}, {row.subject}" if row.subject else row.method,
            "" if row.seed is None else str(row.seed),
            _rates(row.at_once),
            _rates(row.one_by_one),
            f"{row.others.hits} of {row.others.n}" if row.others else "",
            f"{row.perplexity:.3f}",
            "–" if row.kept is None else f"{row.kept:.1%}",
            f"{row.seconds:.0f}",
        )
    return table


def _rates(of: RateTable) -> str:
    return ", ".join(f"{kind} {row.hits} of {row.n}" for kind, row in of.items() if row.n)
