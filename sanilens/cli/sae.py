"""`sanilens sae`: train an autoencoder on the examined model, judge it, list its features."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Table

from sanilens.audit.targets import Scope
from sanilens.case import open_records, open_sae
from sanilens.cli.common import (
    JsonOption,
    SeedOption,
    output,
    print_json,
    progress,
    say,
)
from sanilens.cli.options import ExaminedOptions, TrainingOptions, grouped
from sanilens.dictionaries.sae.choose import Goal, choose_features
from sanilens.dictionaries.sae.features import score_features
from sanilens.dictionaries.sae.load import id_of
from sanilens.dictionaries.sae.quality import SaeQuality, measure_quality
from sanilens.dictionaries.sae.sae import Sae
from sanilens.dictionaries.sae.trade_off import measure_trade_off, save_trade_off
from sanilens.dictionaries.sae.train import Architecture, SaeSettings, SaeStep, train_sae
from sanilens.dictionaries.site import parse_site

sae = typer.Typer(help="Sparse autoencoders of the examined model.", no_args_is_help=True)

SaeArgument = Annotated[
    str, typer.Argument(metavar="SAE", help="A SAELens folder, or a bundled name: clinic:sae-….")
]
Score = Literal["attribution", "auroc", "precision", "recall", "ratio", "firing"]
_DEFAULT = SaeSettings("")
_TELL_EVERY = 10


@sae.command("train")
@grouped
def train(
    texts: TrainingOptions,
    site: Annotated[str, typer.Option(help="For example blocks.4.hook_resid_post.")],
    out: Annotated[Path, typer.Option(help="A new folder; its name becomes the id.")],
    width: Annotated[
        int, typer.Option(min=1, help="How many features for each dimension of the site.")
    ] = 8,
    architecture: Annotated[Architecture, typer.Option()] = _DEFAULT.architecture,
    k: Annotated[
        int, typer.Option(min=1, help="Features that fire at a token: topk, batchtopk.")
    ] = _DEFAULT.k,
    sparsity: Annotated[
        float, typer.Option(min=0, help="Coefficient of the sparsity loss: jumprelu, standard.")
    ] = _DEFAULT.sparsity,
    steps: Annotated[int, typer.Option(min=1)] = _DEFAULT.steps,
    batch_size: Annotated[int, typer.Option(min=1, help="Tokens a step.")] = _DEFAULT.batch_size,
    learning_rate: Annotated[float, typer.Option(min=0)] = _DEFAULT.learning_rate,
    seed: SeedOption = _DEFAULT.seed,
    as_json: JsonOption = False,
) -> None:
    """Train an autoencoder, save it as SAELens does, and judge it on records it has not seen."""
    examined, records, judged = texts.open()
    settings = SaeSettings(
        site=site,
        width=width * parse_site(site).width(examined.sites),
        architecture=architecture,
        k=k,
        sparsity=sparsity,
        steps=steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        seed=seed,
    )
    with progress("training") as report:

        def on_step(step: SaeStep) -> None:
            if step.number % _TELL_EVERY == 0 or step.number == step.of:
                report(step.number, step.of, f"loss {step.loss:.4g}")

        made, found = train_sae(examined, records, judged, settings, out, id_of(out.name), on_step)
    if as_json:
        print_json(_judged(made, found))
        return
    say(f"wrote {out.name}: sae.{made.id}, {made.width:,} features of {made.site}")
    _print_quality(made, found)


@sae.command("quality")
@grouped
def quality(source: SaeArgument, case: ExaminedOptions, as_json: JsonOption = False) -> None:
    """Judge an autoencoder on a corpus; warns of what falls below a threshold."""
    opened = case.open()
    loaded = open_sae(source, opened.model)
    found = measure_quality(opened.model, loaded, opened.corpus.records)
    if as_json:
        print_json(_judged(loaded, found))
        return
    _print_quality(loaded, found)


@sae.command("features")
@grouped
def features(
    source: SaeArgument,
    case: ExaminedOptions,
    span: Annotated[list[str] | None, typer.Option(help="Span id: record@start-end.")] = None,
    label: Annotated[list[str] | None, typer.Option(help="Only spans of this label.")] = None,
    subject: Annotated[list[str] | None, typer.Option(help="Only this subject's spans.")] = None,
    sort: Annotated[Score, typer.Option(help="Highest first.")] = "attribution",
    top: Annotated[int, typer.Option(min=1)] = 30,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """List features, scored on spans against as many other tokens of the same records."""
    opened = case.open()
    own = open_sae(source, opened.model)
    scope = Scope(frozenset(span or ()), frozenset(label or ()), frozenset(subject or ()))
    scores = score_features(opened.model, own, opened.corpus.records, scope, seed=seed)
    best = scores.sort_values(sort, ascending=False, kind="stable").head(top)
    rows = best.drop(columns="feature").to_dict("records")
    if as_json:
        print_json({"id": own.id, "site": str(own.site), "features": rows})
        return
    table = Table(title=f"sae.{own.id}, {own.site}", title_justify="left")
    for name in best.columns.drop("feature"):
        table.add_column(str(name), justify="left" if name == "unit" else "right")
    for row in rows:
        table.add_row(*(v if isinstance(v, str) else f"{v:.3f}" for v in row.values()))
    output.print(table)


@sae.command("clamp")
@grouped
def clamp(
    source: SaeArgument,
    case: ExaminedOptions,
    other: Annotated[str, typer.Option(help="Text that must stay as likely; chosen on.")],
    unseen: Annotated[str, typer.Option(help="Text on which the cost is told; not chosen on.")],
    most: Annotated[int, typer.Option(min=1, help="Features clamped at most.")] = 20,
    draws: Annotated[int, typer.Option(min=2, help="Draws of random features.")] = 5,
    keep: Annotated[
        bool, typer.Option("--keep", help="Write it into the autoencoder's folder too.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Choose a few features whose clamping leaves the fewest direct identifiers, and measure it."""
    opened = case.open()
    examined, records = opened.model, opened.corpus.records
    loaded = open_sae(source, examined)
    with progress("choosing features") as report:
        choice = choose_features(
            examined, loaded, records, open_records(other), Goal(most=most), progress=report
        )
    made = measure_trade_off(
        examined, loaded, choice.values, records, open_records(unseen), draws=draws
    )
    if keep:
        save_trade_off(made, loaded.path)
    if as_json:
        print_json(made)
        return
    output.print(
        f"{len(made.clamped)} features of sae.{loaded.id} clamped: {made.after.direct} of "
        f"{made.before.direct} direct identifiers left, {made.rise:+.1%} perplexity on unseen text"
    )
    output.print(
        f"random ones that fire as often leave {made.chance.direct:.0f} "
        f"({made.chance.low:.0f} to {made.chance.high:.0f}, {draws} draws)"
    )
    for feature, value in made.clamped.items():
        output.print(f"  sae.{loaded.id}.{feature} to {value:.3f} of the norm")


def _judged(sae: Sae, found: SaeQuality) -> dict[str, Any]:
    names = {"id": sae.id, "site": str(sae.site), "features": sae.width}
    return {**names, **found.figures(), "warnings": found.warnings()}


def _print_quality(sae: Sae, found: SaeQuality) -> None:
    output.print(f"sae.{sae.id} on {found.tokens:,} tokens", style="bold")
    output.print(
        f"explained variance {found.explained_variance:.3f} · L0 {found.l0:.1f} · "
        f"dead {found.dead:.1%} · cross-entropy recovered {found.ce_recovered:.3f}"
    )
    output.print(
        f"relative error {found.error_sensitive:.3f} on sensitive spans, "
        f"{found.error_other:.3f} elsewhere"
    )
    for warning in found.warnings():
        say(f"warning: it {warning}")
