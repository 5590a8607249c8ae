"""`sanilens bench detect`: precision and recall of detection, by label and means."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from sanilens.atomic import write_text
from sanilens.bench.detection.measure import Row, bench_detect, expected_file
from sanilens.commands.common import JsonOption, SeedOption, output, print_json
from sanilens.corpus.expected import Expected
from sanilens.corpus.ner import load_pipeline
from sanilens.runs.sources import open_records


def detect(
    ner: Annotated[
        list[str] | None, typer.Option("--ner", help="A pipeline to measure too; repeatable.")
    ] = None,
    expected: Annotated[
        Path | None, typer.Option(help="Write the figures that the app shows to this file.")
    ] = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Detection on sentences that no rule was made on, and on the bundled notes: each means."""
    pipelines = [load_pipeline(source) for source in ner or ()]
    found = bench_detect(open_records("clinic:notes"), pipelines, seed=seed)
    if expected:
        shown = Expected.model_validate(expected_file(found, pipelines))
        write_text(expected, shown.model_dump_json(indent=1) + "\n")
    if as_json:
        print_json(found)
        return
    for where, measured in found.items():
        for means, rows in measured.items():
            if isinstance(rows, dict):
                output.print(_table(f"{where}, n {measured['n']:,}: {means}", rows))


def _table(title: str, rows: dict[str, Any]) -> Table:
    table = Table(title=title, title_justify="left")
    for name in ("label", "n", "recall", "exact", "precision", "found"):
        table.add_column(name, justify="left" if name == "label" else "right")
    for label, row in rows.items():
        assert isinstance(row, Row)
        shares = (row.recall, row.exact, row.precision)
        cells = ("–" if share is None else f"{share:.3f}" for share in shares)
        table.add_row(label, f"{row.n:,}", *cells, f"{row.found:,}")
    return table
