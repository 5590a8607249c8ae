"""`sanilens bench cost`: seconds and memory of curvature and one step, against width and depth."""

import typer
from rich.table import Table

from research.cost import FORETOLD, MEASURED, CostResult, bench_cost
from sanilens.cli.common import JsonOption, output, print_json, say


def cost(
    largest: str = typer.Option(MEASURED[-1].name, help="The last model that is measured."),
    as_json: JsonOption = False,
) -> None:
    """What rewriting costs on models of random weights, and what that foretells of larger ones."""
    names = [shape.name for shape in MEASURED]
    if largest not in names:
        raise typer.BadParameter(f"there are {', '.join(names)}")
    found = bench_cost(MEASURED[: names.index(largest) + 1], FORETOLD, say)
    if as_json:
        print_json(found.model_dump())
        return
    output.print(_table(found))


def _table(found: CostResult) -> Table:
    table = Table(title="CPU seconds of one thread", title_justify="left")
    for head in ("model", "curvature", "foretold", "gradients", "solve", "foretold", "harm",
                 "factors, MB", "peak, MB"):  # fmt: skip
        table.add_column(head, justify="right")
    for row in found.rows:
        table.add_row(
            row.name, _cell(row.curvature), f"{row.foretold_curvature:.1f}", _cell(row.gradients),
            _cell(row.solve), f"{row.foretold_solve:.1f}", _cell(row.harm),
            f"{row.factors / 1e6:,.0f}", "–" if row.peak is None else f"{row.peak / 1e6:,.0f}",
        )  # fmt: skip
    return table


def _cell(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.2f}"
