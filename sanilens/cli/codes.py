"""`sanilens codes`: train a codebook, find the codes of a topic, delete them without training."""

import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table

from sanilens.atomic import write_text
from sanilens.audit.perplexity import worded_perplexity
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
from sanilens.dictionaries.codebook.bottleneck import USUAL, Way, no_deletion, read_deletion
from sanilens.dictionaries.codebook.code_use import read_codes
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.dictionaries.codebook.deletion_effect import DeletionEffect, measure_deletion
from sanilens.dictionaries.codebook.enrichment import Rule, choose_codes, code_table
from sanilens.dictionaries.codebook.topic import Against, Topic, hold
from sanilens.dictionaries.codebook.train import (
    CodebookSettings,
    CodebookStep,
    Task,
    train_codebook,
)
from sanilens.dictionaries.sae.load import id_of
from sanilens.errors import PlanError
from sanilens.runs.workspace import open_codebook

codes = typer.Typer(
    help="Codebooks: find the codes of a topic and delete them without training.",
    no_args_is_help=True,
)

CodebookArgument = Annotated[
    str,
    typer.Argument(
        metavar="CODEBOOK", help="A folder that `codes train` wrote, or an id in the app."
    ),
]
LabelOption = Annotated[list[str] | None, typer.Option("--label", help="Spans of this label.")]
SubjectOption = Annotated[
    list[str] | None, typer.Option("--subject", help="Spans of this subject.")
]
PatternOption = Annotated[
    str, typer.Option("--regex", help="Instead of spans: whatever this expression matches.")
]
AgainstOption = Annotated[
    Against | None,
    typer.Option(help="Control: other subjects' values, surrogate twins, or all other tokens."),
]
_DEFAULT, _RULE = CodebookSettings(""), Rule()
TauOption = Annotated[float, typer.Option(help="Least log2 of enrichment.")]
AlphaOption = Annotated[float, typer.Option(min=0, max=1, help="False discovery rate.")]
LeastOption = Annotated[
    int, typer.Option(min=1, help="Least tokens of the topic that a code stands for.")
]
MostOption = Annotated[int, typer.Option(min=1, help="At most this many codes.")]
CollateralOption = Annotated[
    float, typer.Option(min=0, help="Most that they may stand for elsewhere.")
]
_TELL_EVERY = 10


@codes.command("train")
@grouped
def train(
    texts: TrainingOptions,
    site: Annotated[str, typer.Option(help="For example blocks.1.hook_attn_out.")],
    out: Annotated[Path, typer.Option(help="A new folder; its name becomes the id.")],
    sae: Annotated[
        str | None, typer.Option(help="Quantise the features of this autoencoder at that site.")
    ] = None,
    size: Annotated[int, typer.Option("--codes", min=2, help="How many codes.")] = _DEFAULT.codes,
    k: Annotated[int, typer.Option(min=1, help="Codes that stand for a token.")] = _DEFAULT.k,
    warm_steps: Annotated[
        int, typer.Option(min=1, help="Steps that train the codes alone.")
    ] = _DEFAULT.warm_steps,
    steps: Annotated[int, typer.Option(min=0, help="Steps through the model.")] = _DEFAULT.steps,
    batch_size: Annotated[int, typer.Option(min=1, help="Records a step.")] = _DEFAULT.batch_size,
    task: Annotated[
        Task, typer.Option(help="Predict as the model does, or the text itself.")
    ] = _DEFAULT.task,
    learning_rate: Annotated[float, typer.Option(min=0)] = _DEFAULT.learning_rate,
    seed: SeedOption = _DEFAULT.seed,
    as_json: JsonOption = False,
) -> None:
    """Train a codebook at a site of the frozen model and judge it on unseen records."""
    examined, records, judged = texts.open()
    settings = CodebookSettings(
        site=site, codes=size, k=k, warm_steps=warm_steps, steps=steps, batch_size=batch_size,
        task=task, learning_rate=learning_rate, seed=seed,
    )  # fmt: skip
    under = open_sae(sae, examined) if sae else None
    with progress("training") as report:

        def on_step(step: CodebookStep) -> None:
            if step.number % _TELL_EVERY == 0 or step.number == step.of:
                stage = "codes alone" if step.warm else "through the model"
                report(step.number, step.of, f"{stage}, loss {step.loss:.4g}")

        made, found = train_codebook(
            examined, records, judged, settings, out, id_of(out.name), under, on_step
        )
    result = {**_named(made), **found.figures()}
    if as_json:
        print_json(result)
        return
    say(f"wrote {out.name}: {made.size:,} codes of {made.site}, {made.k} a token")
    output.print(
        f"explained variance {found.explained_variance:.3f} · cross-entropy recovered "
        f"{found.ce_recovered:.3f} · perplexity × {found.perplexity_ratio:.3f} · "
        f"unused {found.dead:.1%}"
    )


@codes.command("find")
@grouped
def find(
    source: CodebookArgument,
    case: ExaminedOptions,
    label: LabelOption = None,
    subject: SubjectOption = None,
    pattern: PatternOption = "",
    against: AgainstOption = None,
    top: Annotated[int, typer.Option(min=1)] = 30,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """List the codes that a topic uses more than its control text does, the surest first."""
    topic = topic_of(label, subject, pattern)
    control = against or topic.usual_control
    opened = case.open()
    loaded, records = opened.model, opened.corpus.records
    own = open_codebook(source, loaded)
    held = hold(loaded, own, read_codes(loaded, own, records), topic, control, seed=seed)
    table = code_table(held, seed=seed)
    rows = table.head(top).to_dict("records")
    if as_json:
        significant = int(np.count_nonzero(table["q"] < _RULE.alpha))
        print_json({**_named(own), "against": control, "significant": significant, "codes": rows})
        return
    drawn = Table(title=f"{own.id}, {own.site}, against {control}", title_justify="left")
    for name in table.columns:
        drawn.add_column(str(name), justify="right")
    for row in rows:
        drawn.add_row(*(str(v) if isinstance(v, int) else f"{v:.3g}" for v in row.values()))
    output.print(drawn)


@codes.command("delete")
@grouped
def delete(
    source: CodebookArgument,
    case: ExaminedOptions,
    label: LabelOption = None,
    subject: SubjectOption = None,
    pattern: PatternOption = "",
    against: AgainstOption = None,
    way: Annotated[
        Way | None,
        typer.Option(
            help="A deleted code's place: left empty (drop, the usual), refilled, the rest "
            "weighing more (renorm), or empty while what the codes leave out still passes (zero)."
        ),
    ] = None,
    after: Annotated[
        Path | None, typer.Option(help="Delete more: what an earlier --out wrote.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the deletion here.")] = None,
    tau: TauOption = _RULE.tau,
    alpha: AlphaOption = _RULE.alpha,
    least: LeastOption = _RULE.least,
    most: MostOption = _RULE.most,
    collateral: CollateralOption = _RULE.collateral,
    unseen: Annotated[str | None, typer.Option(help="Records for the perplexity.")] = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Delete a topic's codes without training; measure what is still extracted, and the cost."""
    topic = topic_of(label, subject, pattern)
    opened = case.open()
    loaded, records = opened.model, opened.corpus.records
    own = open_codebook(source, loaded)
    before = read_deletion(after) if after else no_deletion(own, USUAL)
    before = before.model_copy(update={"way": way}) if way else before
    use = read_codes(loaded, own, records)
    started = time.perf_counter()
    held = hold(loaded, own, use, topic, against or topic.usual_control, seed=seed)
    rule = Rule(tau, alpha, least, most, collateral)
    chosen = choose_codes(code_table(held, seed=seed), rule)
    deletion = before.more(chosen)
    seconds = time.perf_counter() - started
    if not chosen:
        raise PlanError("no code is enriched enough to be deleted. Lower tau, or raise alpha.")
    found = measure_deletion(
        loaded, own, deletion, records, topic, open_records(unseen) if unseen else records
    )
    if out:
        write_text(out, deletion.model_dump_json(indent=1) + "\n")
    if as_json:
        print_json({**_named(own), "deleted": list(chosen), "topics": deletion.topics,
                    "seconds": seconds, **_sides(found)})  # fmt: skip
        return
    output.print(f"{len(chosen)} codes deleted in {seconds:.2f} s, {deletion.topics} topics in all")
    _print_effect(found)


def topic_of(label: list[str] | None, subject: list[str] | None, pattern: str) -> Topic:
    """The topic that the options name.

    Raises:
        PlanError: if they name spans and an expression, or nothing.
    """
    if pattern and (label or subject):
        raise PlanError("name a topic by --label and --subject, or by --regex, not both.")
    if not (pattern or label or subject):
        raise PlanError("name the topic: --label, --subject or --regex.")
    return Topic(Scope(labels=frozenset(label or ()), subjects=frozenset(subject or ())), pattern)


def _named(codebook: Codebook) -> dict[str, Any]:
    names = {"id": codebook.id, "site": str(codebook.site), "size": codebook.size}
    return {**names, "k": codebook.k, "sae": codebook.sae is not None}


def _sides(found: DeletionEffect) -> dict[str, Any]:
    """The three models: spans of the topic and all others that each says, and its perplexity."""
    sides = {"model": found.model, "codes": found.codes, "deleted": found.deleted}
    return {
        name: {"topic": topic, "rest": rest, "perplexity": side.perplexity_unseen}
        for name, side in sides.items()
        for topic, rest in [found.rates(side)]
    }


def _print_effect(found: DeletionEffect) -> None:
    table = Table()
    for name in ("", "topic said", "rest said", "perplexity"):
        table.add_column(name, justify="right" if name else "left")
    names = ("model", "codes, none deleted", "codes deleted")
    for name, side in zip(names, (found.model, found.codes, found.deleted), strict=True):
        cells = (f"{row.hits} / {row.n}" for row in found.rates(side))
        table.add_row(name, *cells, worded_perplexity(side.perplexity_unseen, 3))
    output.print(table)
