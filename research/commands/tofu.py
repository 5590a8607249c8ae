"""`sanilens bench tofu`: TOFU's protocol on a local model; `tofu-models` trains small ones."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from research.tofu.data import open_tofu
from research.tofu.models import RECIPE, build_models
from research.tofu.plans import PLANS, find_plan
from research.tofu.run import Row, bench_tofu
from sanilens.case import open_model
from sanilens.cli.common import JsonOption, ModelOption, SeedOption, output, print_json, say
from sanilens.unlearn.methods import find_method
from sanilens.unlearn.plan import Repair

DataOption = Annotated[
    Path, typer.Option("--data", help="Folder of TOFU's files; SaniLens has none of them.")
]
_COLUMNS = {
    "forget quality": "forget_quality",
    "utility": "model_utility",
    "forget prob.": "forget_probability",
    "ROUGE-L": "forget_rouge",
    "truth ratio": "forget_truth_ratio",
    "extraction": "forget_extraction_strength",
    "retain prob.": "retain_probability",
    "ROUGE-L ": "retain_rouge",
    "s": "seconds",
}


def tofu(
    data: DataOption,
    model: ModelOption,
    reference: Annotated[
        str | None,
        typer.Option(help="A model trained on retain95 alone; forget quality needs it."),
    ] = None,
    another: Annotated[
        list[str] | None,
        typer.Option(help="One more such model, trained with other draws; repeatable."),
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="The model before fine-tuning, if a method needs it.")
    ] = None,
    method: Annotated[
        list[str] | None, typer.Option(help="Unlearn forget05 by this method; repeatable.")
    ] = None,
    plan: Annotated[
        list[str] | None,
        typer.Option(help=f"Carry out this whole plan: {', '.join(PLANS)}; repeatable."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Of every method; its own if absent.")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(min=0, help="Of every method; its own if absent.")
    ] = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """TOFU's forget quality, model utility and what they are made of, before and after methods."""
    given = {"epochs": epochs, "learning_rate": learning_rate}
    settings: dict[str, Any] = {k: v for k, v in given.items() if v is not None}
    repairs = [Repair(method=find_method(name).name, **settings) for name in method or ()]
    plans = {name: find_plan(name) for name in plan or ()}
    files = open_tofu(data)
    rows: list[Row] = []
    for row in bench_tofu(
        open_model(model),
        files,
        repairs,
        plans=plans,
        reference=open_model(reference) if reference else None,
        another=map(open_model, another or ()),
        base=open_model(base) if base else None,
        seed=seed,
        say=say,
    ):
        rows.append(row)
    if as_json:
        print_json({"rows": [row.flat() for row in rows]})
        return
    output.print(_table(rows))


def tofu_models(
    data: DataOption,
    out: Annotated[Path, typer.Option(help="A folder; started again, it goes on.")],
    references: Annotated[
        int, typer.Option(min=0, help="Further references of other draws, reference-1 and so on.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Of everything drawn.")] = RECIPE.seed,
) -> None:
    """Train three small models on TOFU's files: base, leaking (full) and reference (retain95)."""
    build_models(data, out, say, replace(RECIPE, seed=seed), references)


def _table(rows: list[Row]) -> Table:
    table = Table(title="TOFU, forget05", title_justify="left")
    table.add_column("method")
    for name in _COLUMNS:
        table.add_column(name.strip(), justify="right")
    for row in rows:
        flat = row.flat()
        cells = (flat[key] for key in _COLUMNS.values())
        table.add_row(row.method, *("–" if cell is None else f"{cell:.3g}" for cell in cells))
    return table
