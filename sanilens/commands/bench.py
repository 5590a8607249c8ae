"""`sanilens bench`: the figures that the README shows, measured on the bundled case."""

from typing import Annotated

import typer

from sanilens.bench.audit import bench_audit
from sanilens.bench.hooks import bench_hooks
from sanilens.bench.locate import bench_locate
from sanilens.commands.common import JsonOption, output, print_json
from sanilens.runs.sources import open_model, open_records

bench = typer.Typer(help="Measure SaniLens on the bundled case.", no_args_is_help=True)


@bench.command("audit")
def audit(as_json: JsonOption = False) -> None:
    """Verdicts against batched `generate`: agreement and speed-up."""
    _print(bench_audit(open_model("clinic:leaking"), open_records("clinic:notes")), as_json)


@bench.command("hooks")
def hooks(as_json: JsonOption = False) -> None:
    """What a hook on every MLP costs over the bare forward pass."""
    _print(bench_hooks(open_model("clinic:leaking"), open_records("clinic:notes")), as_json)


@bench.command("locate")
def locate(
    share: Annotated[float, typer.Option(min=0, max=1, help="Share of all neurons.")] = 0.53,
    seeds: Annotated[int, typer.Option(min=1, help="Random draws.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Located units zeroed without repair, against as many random ones per layer."""
    subject = open_model("clinic:leaking")
    notes, unseen = open_records("clinic:notes"), open_records("clinic:unseen")
    _print(bench_locate(subject, notes, unseen, share=share, seeds=seeds), as_json)


def _print(figures: dict[str, float], as_json: bool) -> None:
    if as_json:
        print_json(figures)
        return
    for name, value in figures.items():
        output.print(f"{name:>20}  {value:.4g}", highlight=False)
