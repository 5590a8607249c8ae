"""`sanilens plan`: build a plan without a browser; printed, so that it can be piped to a file."""

from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from sanilens.commands.common import (
    ControlOption,
    CorpusOption,
    ModelOption,
    SeedOption,
    progress,
    say,
)
from sanilens.errors import PlanError
from sanilens.inspect.localisers import Settings, find_localiser
from sanilens.inspect.targets import Scope, find_targets
from sanilens.model.units import Unit, parse_unit
from sanilens.runs.sources import (
    model_source,
    open_model,
    open_records,
    open_sae,
    records_source,
    sae_source,
)
from sanilens.unlearn.choose import choose_edits
from sanilens.unlearn.default import DEFAULT_SHARE
from sanilens.unlearn.edits import check_units
from sanilens.unlearn.plan import Operation, Plan, Repair, Source, UnitEdit


def plan(
    model: ModelOption,
    corpus: CorpusOption,
    base: Annotated[str | None, typer.Option(help="The model before fine-tuning.")] = None,
    reference: Annotated[str | None, typer.Option(help="Trained without the identifiers.")] = None,
    control: ControlOption = None,
    unseen: Annotated[str | None, typer.Option(help="Notes nobody trained on.")] = None,
    unit: Annotated[list[str] | None, typer.Option(help="Edit these units; repeatable.")] = None,
    sae: Annotated[
        list[str] | None,
        typer.Option(help="The autoencoder of a unit sae.<id>.88: its folder; repeatable."),
    ] = None,
    top: Annotated[int | None, typer.Option(min=1, help="Or the top units of --method.")] = None,
    method: Annotated[str, typer.Option(help="Localiser for --top.")] = "gradient-activation",
    label: Annotated[list[str] | None, typer.Option(help="Locate for this label only.")] = None,
    operation: Annotated[Operation | None, typer.Option()] = None,
    value: Annotated[
        float | None, typer.Option(help="For clamp and cap; measured if absent.")
    ] = None,
    repair: Annotated[
        Literal["surrogate", "masked", "anchored", "none"],
        typer.Option(help="What to train afterwards; anchored needs --base."),
    ] = "surrogate",
    learning_rate: Annotated[float, typer.Option()] = Repair().learning_rate,
    epochs: Annotated[int, typer.Option(min=1)] = Repair().epochs,
    batch_size: Annotated[int, typer.Option(min=1)] = Repair().batch_size,
    edited_layers_only: Annotated[bool, typer.Option("--edited-layers-only")] = False,
    freeze_erased: Annotated[bool, typer.Option("--freeze-erased")] = False,
    max_perplexity_rise: Annotated[float | None, typer.Option(help="Early stop, a share.")] = None,
    controls: Annotated[bool, typer.Option(help="Run the control arms too.")] = True,
    seed: SeedOption = 0,
) -> None:
    """Print a plan: --unit names units, --top takes a localiser's best (a tenth by default)."""
    subject = open_model(model)
    records = open_records(corpus)
    opened = {
        each.id: (source, each) for source in sae or () for each in [open_sae(source, subject)]
    }
    units: Sequence[Unit]
    if unit:
        units = [parse_unit(name) for name in unit]
    else:
        with progress("locating") as report:
            scope = Scope(labels=frozenset(label or ()))
            targets = find_targets(subject, records, scope)
            scores = find_localiser(method).score(targets, Settings(seed=seed, progress=report))
        count = top or max(1, round(DEFAULT_SHARE * scores.values.numel()))
        units = scores.units(count)
    chosen: Operation = operation or ("reset" if base else "zero")
    if chosen == "clamp" and value is None:
        raise PlanError("clamp needs --value: the activation to hold the units at.")
    if value is None:
        edits = choose_edits(subject, records, units, chosen)
    else:
        edits = tuple(UnitEdit(unit=str(n), operation=chosen, value=value) for n in units)
    check_units(subject, edits, {name: own for name, (_, own) in opened.items()})
    made = Plan(
        model=model_source(model, subject),
        corpus=records_source(corpus, records),
        base=_model_source(base),
        reference=_model_source(reference),
        control=_records_source(control),
        unseen=_records_source(unseen),
        saes={name: sae_source(*own) for name, own in opened.items()},
        edits=edits,
        repair=Repair(
            method=repair,
            learning_rate=learning_rate,
            epochs=epochs,
            batch_size=batch_size,
            train="edited_layers" if edited_layers_only else "all",
            freeze_erased=freeze_erased,
            max_perplexity_rise=max_perplexity_rise,
        ),
        controls=controls,
        seed=seed,
    )
    typer.echo(made.model_dump_json(indent=1))
    say(f"plan {made.sha256[:12]}: {len(edits)} units {chosen}, repair {repair}")


def _model_source(source: str | None) -> Source | None:
    return model_source(source, open_model(source)) if source else None


def _records_source(source: str | None) -> Source | None:
    return records_source(source, open_records(source)) if source else None
