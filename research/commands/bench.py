"""`sanilens bench`: the figures that the README shows, measured on the bundled case."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from research.audit import bench_audit
from research.codes import LABELS, bench_codes
from research.commands.cost import cost
from research.commands.durability import durability
from research.commands.forget import forget
from research.commands.grun import grun
from research.commands.masked import masked
from research.commands.sanitise import sanitise
from research.commands.sequential import sequential
from research.commands.tofu import tofu, tofu_models
from research.detection.measure import Row, bench_detect, expected_file
from research.fuzz.judge import Kind
from research.fuzz.run import KINDS, bench_fuzz
from research.hooks import bench_hooks
from research.locate import bench_locate
from research.parity import bench_parity
from research.sae import bench_sae
from research.zoo import CAUSAL
from sanilens.atomic import write_text
from sanilens.case import open_model, open_records
from sanilens.cli.common import (
    JsonOption,
    SeedOption,
    output,
    print_json,
    progress,
    say,
)
from sanilens.cli.localisers import localisers
from sanilens.corpus.detection.expected import Expected
from sanilens.corpus.detection.ner import load_pipeline
from sanilens.dictionaries.sae.choose import Goal
from sanilens.errors import PlanError

bench = typer.Typer(help="Measure SaniLens on the bundled case.", no_args_is_help=True)
bench.command("sanitise")(sanitise)
bench.command("forget")(forget)
bench.command("grun")(grun)
bench.command("cost")(cost)
bench.command("masked")(masked)
bench.command("sequential")(sequential)
bench.command("tofu")(tofu)
bench.command("tofu-models")(tofu_models)
bench.command("durability")(durability)
bench.command("inj")(localisers)


@bench.command("audit")
def audit(as_json: JsonOption = False) -> None:
    """Verdicts against batched `generate`: agreement and speed-up."""
    _print(bench_audit(open_model("clinic:leaking"), open_records("clinic:notes")), as_json)


@bench.command("parity")
def parity(
    architecture: Annotated[
        list[str] | None, typer.Option(help="Only this one; repeatable.")
    ] = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Verdicts against plain `generate` on a tiny model of every architecture."""
    if unknown := set(architecture or ()) - set(CAUSAL):
        raise PlanError(f"no architecture {min(unknown)!r}; there are {', '.join(CAUSAL)}.")
    with progress("training, auditing, generating") as report:
        found = bench_parity(architecture or tuple(CAUSAL), seed, report)
    if as_json:
        print_json(asdict(found))
        return
    table = Table(title="Verdicts that agree with generate", title_justify="left")
    for name in ("architecture", "tokenizer", "whole prefix", f"{found.prefix_tokens} tokens"):
        table.add_column(name)
    for row in found.rows:
        ways = ((row.agree, row.extracted), (row.agree_prefix, row.extracted_prefix))
        cells = (f"{agree} of {row.spans}, {said} said" for agree, said in ways)
        table.add_row(row.architecture, row.tokenizer, *cells)
    output.print(table)
    output.print(f"agreement {found.agreement:.4f} over {found.verdicts:,} verdicts")


@bench.command("hooks")
def hooks(as_json: JsonOption = False) -> None:
    """What a hook on every MLP costs over the bare forward pass."""
    _print(bench_hooks(open_model("clinic:leaking"), open_records("clinic:notes")), as_json)


@bench.command("locate")
def locate(
    share: Annotated[float, typer.Option(min=0, max=1, help="Share of all neurons.")] = 0.4,
    seeds: Annotated[int, typer.Option(min=1, help="Random draws.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Zero located units and random ones of equal perplexity, without repair; cost; exactness."""
    model = open_model("clinic:leaking")
    notes, unseen = open_records("clinic:notes"), open_records("clinic:unseen")
    _print(bench_locate(model, notes, unseen, share=share, seeds=seeds), as_json)


@bench.command("fuzz")
def fuzz(
    count: Annotated[int, typer.Option(min=1, help="Damaged inputs in all.")] = 20_000,
    kind: Annotated[
        list[str] | None, typer.Option(help=f"Only these: {', '.join(KINDS)}; repeatable.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Open damaged corpora, models, plans and runs by the thousand: read rightly, or refused?"""
    chosen: tuple[Kind, ...] = tuple(own for own in KINDS if not kind or own in kind)
    with progress("opening damaged inputs") as report:
        found = bench_fuzz(count, seed=seed, kinds=chosen, workers=workers, progress=report)
    _print(asdict(found), as_json)


@bench.command("sae")
def sae(
    most: Annotated[int, typer.Option(min=1, help="Features clamped at most.")] = 20,
    draws: Annotated[int, typer.Option(min=2, help="Draws of random features.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """The bundled autoencoders: quality, and what clamping a few chosen features does."""
    with progress("choosing features") as report:
        found = bench_sae(goal=Goal(most=most), draws=draws, progress=report)
    _print(found, as_json)


def _print(figures: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(figures)
        return
    for name, value in figures.items():
        if isinstance(value, Mapping):
            output.print(f"{name}:", highlight=False)
            _print(value, as_json)
        else:
            output.print(f"{name:>28}  {_figure(value)}", highlight=False)


def _figure(value: Any) -> str:
    if isinstance(value, list):
        return "  ".join(map(_figure, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@bench.command("codes")
def codes(
    sample: Annotated[int, typer.Option(min=1, help="Notes that are asked for their spans.")] = 36,
    neutral: Annotated[int, typer.Option(min=1, help="Unseen notes for the perplexity.")] = 12,
    first: Annotated[str, typer.Option(help="The first topic's label.")] = LABELS[0],
    second: Annotated[str, typer.Option(help="The second topic's label.")] = LABELS[1],
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Delete topics' codes without training, in each way, beside random codes; with and without
    an autoencoder underneath."""
    found = bench_codes(
        open_model("clinic:leaking"),
        open_records("clinic:notes"),
        open_records("clinic:unseen"),
        labels=(first, second),
        sample=sample,
        neutral=neutral,
        seed=seed,
        say=say,
    )
    if as_json:
        print_json(asdict(found))
        return
    title = f"codes deleted · {found.notes} notes, perplexity {found.perplexity:.3f} untouched"
    table = Table(title=title, title_justify="left")
    for name in ("site", "SAE", "topic", "arm", "codes", "s", "extracted", "rest", "perplexity"):
        table.add_column(name, justify="left" if name in ("site", "topic", "arm") else "right")
    for row in found.rows:
        best = " ←" if row in found.best.values() else ""
        table.add_row(
            row.site, "yes" if row.sae else "no", row.topic, row.arm + best, str(row.deleted),
            f"{row.seconds:.2f}",
            f"{row.extracted} / {row.before}", f"{row.rest} / {row.rest_before}",
            f"× {row.perplexity_ratio:.3f}",
        )  # fmt: skip
    output.print(table)


@bench.command("detect")
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
    """Detection on sentences that no rule was made on, and on the bundled notes."""
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
