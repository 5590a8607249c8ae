"""`sanilens localisers`: which localiser to believe on a model."""

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table

from sanilens.case import open_records
from sanilens.cli.common import (
    CorpusOption,
    JsonOption,
    SeedOption,
    as_trained,
    output,
    print_json,
    progress,
)
from sanilens.evidence.on_load import open_model
from sanilens.inspect.locate.deletion_curve import bench_deletion
from sanilens.inspect.locate.recall import CURVES, InjResult, bench_inj


def localisers(
    model: Annotated[str, typer.Option(help="The leaking model, for the deletion curve.")] = (
        "clinic:leaking"
    ),
    base: Annotated[str, typer.Option(help="The model to inject into.")] = "clinic:base",
    corpus: CorpusOption = "clinic:notes",
    unseen: Annotated[
        str, typer.Option(help="Texts that neither model has seen.")
    ] = "clinic:unseen",
    count: Annotated[int, typer.Option(min=1, help="Test injections of each condition.")] = 8,
    draws: Annotated[int, typer.Option(min=1, help="Random draws at each deletion.")] = 5,
    deletion: Annotated[bool, typer.Option(help="Measure the deletion curve too.")] = True,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Which localiser finds injected memories, and what deleting its units costs."""
    other, notes = open_records(unseen), open_records(corpus)
    # A base model has not read the corpus either, and few spans hold in 1 % of the neurons.
    fresh = other if base == model else (*other, *notes)
    with progress("injecting memories") as report:
        found = bench_inj(open_model(base), fresh, count=count, seed=seed, progress=report)
    result: dict[str, Any] = {**asdict(found)}
    curves = None
    if deletion:
        with progress("deletion curves") as report:
            curves = bench_deletion(
                as_trained(open_model(model), notes), notes, other, CURVES, found.candidates,
                draws=draws, seed=seed, progress=report,
            )  # fmt: skip
        result["deletion"] = {**asdict(curves), "ratio": curves.matched.ratio}
        result["recommended"] = curves.recommended
    if as_json:
        print_json(result)
        return
    _table(found, result["recommended"])
    if curves:
        matched = curves.matched
        output.print(
            f"{matched.located.units:,} located neurons zeroed: {matched.located.spans:.0f} spans "
            f"left at perplexity {matched.located.perplexity:.2f}; random ones at "
            f"{matched.random.perplexity:.2f}: {matched.random.spans:.0f} "
            f"({matched.random_low:.0f} to {matched.random_high:.0f}, {matched.draws} draws)"
        )


def _table(found: InjResult, recommended: str) -> None:
    """Every localiser under every condition, the best of its worst first."""
    table = Table(title=f"recall@{found.share:.0%} of injected neurons", title_justify="left")
    for name in ("localiser", "worst", "95 % interval", *found.held, "picked from", "setting"):
        table.add_column(name)
    rows = [*found.localisers.items(), *found.given_the_original.items()]
    for name, row in sorted(rows, key=lambda each: -each[1].least.recall):
        apart = " (given the original)" if name in found.given_the_original else ""
        best = " ←" if name == recommended else ""
        least = row.least
        each = [f"{row.conditions[condition].recall:.3f}" for condition in found.held]
        interval = f"[{least.low:.3f}, {least.high:.3f}]"
        cells = (name + apart + best, f"{least.recall:.3f}", interval, *each, row.picked)
        table.add_row(*cells, row.setting)
    output.print(table)
