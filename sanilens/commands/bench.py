"""`sanilens bench`: the figures that the README shows, measured on the bundled case."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table

from sanilens.bench.audit import bench_audit
from sanilens.bench.deletion import bench_deletion
from sanilens.bench.fuzz.judge import Kind
from sanilens.bench.fuzz.run import KINDS, bench_fuzz
from sanilens.bench.hooks import bench_hooks
from sanilens.bench.inj import CURVES, InjResult, bench_inj
from sanilens.bench.locate import bench_locate
from sanilens.bench.parity import bench_parity
from sanilens.bench.sae import bench_sae
from sanilens.bench.zoo import CAUSAL
from sanilens.commands.bench_codes import codes
from sanilens.commands.bench_detect import detect
from sanilens.commands.common import (
    CorpusOption,
    JsonOption,
    SeedOption,
    output,
    print_json,
    progress,
)
from sanilens.commands.durability import durability
from sanilens.commands.grun import grun
from sanilens.commands.opening import as_trained
from sanilens.commands.sanitise import sanitise
from sanilens.commands.sequential import sequential
from sanilens.commands.tofu import tofu, tofu_models
from sanilens.errors import PlanError
from sanilens.inspect.sae.choose import Goal
from sanilens.runs.sources import open_model, open_records

bench = typer.Typer(help="Measure SaniLens on the bundled case.", no_args_is_help=True)
bench.command("sanitise")(sanitise)
bench.command("grun")(grun)
bench.command("sequential")(sequential)
bench.command("tofu")(tofu)
bench.command("tofu-models")(tofu_models)
bench.command("codes")(codes)
bench.command("durability")(durability)
bench.command("detect")(detect)


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
    """Located units zeroed without repair, and random ones of equal perplexity; cost; exactness."""
    subject = open_model("clinic:leaking")
    notes, unseen = open_records("clinic:notes"), open_records("clinic:unseen")
    _print(bench_locate(subject, notes, unseen, share=share, seeds=seeds), as_json)


@bench.command("inj")
def inj(
    model: Annotated[str, typer.Option(help="The leaking model, for the deletion curve.")] = (
        "clinic:leaking"
    ),
    base: Annotated[str, typer.Option(help="The model to inject into.")] = "clinic:base",
    corpus: CorpusOption = "clinic:notes",
    unseen: Annotated[str, typer.Option(help="Notes that neither has seen.")] = "clinic:unseen",
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
        found = bench_inj(open_model(base), fresh, count=count, seed=seed, tell=report)
    result: dict[str, Any] = {**asdict(found)}
    curves = None
    if deletion:
        with progress("deletion curves") as report:
            curves = bench_deletion(
                as_trained(open_model(model), notes), notes, other, CURVES, found.candidates,
                draws=draws, seed=seed, tell=report,
            )  # fmt: skip
        result["deletion"] = {**asdict(curves), "ratio": curves.matched.ratio}
        result["recommended"] = curves.recommended
    if as_json:
        print_json(result)
        return
    _inj_table(found, result["recommended"])
    if curves:
        matched = curves.matched
        output.print(
            f"{matched.located.units:,} located neurons zeroed: {matched.located.spans:.0f} spans "
            f"left at perplexity {matched.located.perplexity:.2f}; random ones at "
            f"{matched.random.perplexity:.2f}: {matched.random.spans:.0f} "
            f"({matched.random_low:.0f} to {matched.random_high:.0f}, {matched.draws} draws)"
        )


def _inj_table(found: InjResult, recommended: str) -> None:
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
    """Damaged corpora, models, plans and runs by the thousand: read rightly, or refused."""
    chosen: tuple[Kind, ...] = tuple(own for own in KINDS if not kind or own in kind)
    with progress("opening damaged inputs") as report:
        found = bench_fuzz(count, seed=seed, kinds=chosen, workers=workers, tell=report)
    _print(asdict(found), as_json)


@bench.command("sae")
def sae(
    most: Annotated[int, typer.Option(min=1, help="Features clamped at most.")] = 20,
    draws: Annotated[int, typer.Option(min=2, help="Draws of random features.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """The bundled autoencoders: quality, and what clamping a few chosen features does."""
    with progress("choosing features") as report:
        found = bench_sae(goal=Goal(most=most), draws=draws, tell=report)
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
