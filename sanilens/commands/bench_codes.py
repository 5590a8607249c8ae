"""`sanilens bench codes`: codebooks and the deletion of codes on the bundled case."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from sanilens.bench.codes import LABELS, bench_codes
from sanilens.commands.common import JsonOption, SeedOption, output, print_json, say
from sanilens.runs.sources import open_model, open_records


def codes(
    sample: Annotated[int, typer.Option(min=1, help="Notes that are asked for their spans.")] = 36,
    neutral: Annotated[int, typer.Option(min=1, help="Unseen notes for the perplexity.")] = 12,
    first: Annotated[str, typer.Option(help="The first topic's label.")] = LABELS[0],
    second: Annotated[str, typer.Option(help="The second topic's label.")] = LABELS[1],
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Topics' codes deleted without training, each way, beside random codes; with and without an
    autoencoder underneath."""
    found = bench_codes(
        open_model("clinic:leaking"),
        open_records("clinic:notes"),
        open_records("clinic:unseen"),
        labels=(first, second),
        sample=sample,
        neutral=neutral,
        seed=seed,
        tell=say,
    )
    if as_json:
        print_json(asdict(found))
        return
    title = f"codes deleted · {found.notes} notes, perplexity {found.perplexity:.3f} untouched"
    table = Table(title=title, title_justify="left")
    for name in ("site", "SAE", "topic", "arm", "codes", "s", "said", "rest", "perplexity"):
        table.add_column(name, justify="left" if name in ("site", "topic", "arm") else "right")
    for row in found.rows:
        best = " ←" if row in found.best.values() else ""
        table.add_row(
            row.site, "yes" if row.sae else "no", row.topic, row.arm + best, str(row.deleted),
            f"{row.seconds:.2f}", f"{row.said} / {row.before}", f"{row.rest} / {row.rest_before}",
            f"× {row.perplexity_ratio:.3f}",
        )  # fmt: skip
    output.print(table)
