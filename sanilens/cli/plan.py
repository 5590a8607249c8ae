"""`sanilens plan`: build a plan without a browser; printed, so that it can be piped to a file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import typer
from pydantic import ValidationError

from sanilens.audit.targets import Scope, find_targets
from sanilens.cli.common import (
    ControlOption,
    CorpusOption,
    ModelOption,
    NerOption,
    SeedOption,
    as_trained,
    detector_for,
    progress,
    say,
    say_what_was_found,
)
from sanilens.corpus.records import Record, in_scope
from sanilens.dictionaries.codebook.bottleneck import read_deletion
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.errors import PlanError
from sanilens.inert import inert_json
from sanilens.inspect.locate.localisers import Settings, find_localiser
from sanilens.inspect.locate.scores import UnitScores
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import Target, UnitKind, parse_target
from sanilens.runs.sources import (
    model_source,
    open_detected,
    open_dictionary,
    open_model,
    open_records,
    records_source,
    sae_source,
)
from sanilens.runs.workspace import asked_before
from sanilens.unlearn.edits import check_units, code_edits
from sanilens.unlearn.methods import METHODS, find_method
from sanilens.unlearn.plan import NO_REPAIR, Operation, Plan, Repair, Source, UnitEdit
from sanilens.unlearn.resets import base_warning
from sanilens.unlearn.suggest import choose_edits, located_share, random_share, suggested_share

T = TypeVar("T")


def plan(
    model: ModelOption,
    corpus: CorpusOption,
    base: Annotated[str | None, typer.Option(help="The model before fine-tuning.")] = None,
    reference: Annotated[str | None, typer.Option(help="Trained without the identifiers.")] = None,
    control: ControlOption = None,
    unseen: Annotated[str | None, typer.Option(help="Notes nobody trained on.")] = None,
    unit: Annotated[list[str] | None, typer.Option(help="Edit these units; repeatable.")] = None,
    no_edits: Annotated[
        bool, typer.Option("--no-edits", help="Edit no unit: repair, or --keep, alone.")
    ] = False,
    subjects: Annotated[
        list[str] | None,
        typer.Option("--subject", help="Forget this subject alone, not everyone; repeatable."),
    ] = None,
    sae: Annotated[
        list[str] | None,
        typer.Option(help="Folder of the autoencoder, or codebook, of a unit; repeatable."),
    ] = None,
    codes: Annotated[
        Path | None,
        typer.Option(help="Or the codes that `codes delete --out` wrote; --sae is their codebook."),
    ] = None,
    top: Annotated[int | None, typer.Option(min=1, help="Or the top units of --method.")] = None,
    top_share: Annotated[
        float | None, typer.Option(help="Or the top units of --method, this share of each layer.")
    ] = None,
    method: Annotated[
        str, typer.Option(help="Localiser for --top and --top-share.")
    ] = "gradient-activation",
    label: Annotated[list[str] | None, typer.Option(help="Locate for this label only.")] = None,
    share: Annotated[
        float | None,
        typer.Option("--random-share", help="Or SANI's choice: this share of a layer, at random."),
    ] = None,
    layers: Annotated[
        str | None,
        typer.Option(help="Of either share: last (the default), how many of the last, or all."),
    ] = None,
    heads: Annotated[bool, typer.Option("--heads", help="Attention heads, not neurons.")] = False,
    rows: Annotated[
        bool, typer.Option("--rows", help="Of --random-share: rows of every linear projection.")
    ] = False,
    operation: Annotated[Operation | None, typer.Option()] = None,
    keep: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the fine-tuning that stays, everywhere.")
    ] = 1.0,
    value: Annotated[
        float | None, typer.Option(help="For clamp and cap; measured if absent.")
    ] = None,
    repair: Annotated[
        str, typer.Option(help=f"What to train afterwards: {', '.join([*METHODS, NO_REPAIR])}.")
    ] = "surrogate",
    option: Annotated[
        list[str] | None, typer.Option(help="One of the method's own: name=value; repeatable.")
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="The method's own if absent.")] = None,
    epochs: Annotated[int | None, typer.Option(help="The method's own if absent.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1)] = None,
    train: Annotated[
        Literal["all", "edited_layers", "lora"], typer.Option(help="Which weights.")
    ] = "all",
    lora_rank: Annotated[int | None, typer.Option(min=1, help="Of --train lora.")] = None,
    freeze_erased: Annotated[
        bool, typer.Option("--freeze-erased", help="Repair leaves edited units as they are.")
    ] = False,
    every_epoch: Annotated[
        bool, typer.Option("--every-epoch", help="Edit anew before every epoch, not once.")
    ] = False,
    max_perplexity_rise: Annotated[float | None, typer.Option(help="Early stop, a share.")] = None,
    controls: Annotated[bool, typer.Option(help="Run the control arms too.")] = True,
    ner: NerOption = None,
    seed: SeedOption = 0,
) -> None:
    """Print a plan: --unit names units, --top takes a localiser's best, shares are taken of layers.

    Without any of them, and without --no-edits: the best of --method, as many as did well on the
    bundled case. A repair whose result is an adapter leaves all weights, so then none is edited.
    """
    trained = {
        "learning_rate": learning_rate,
        "epochs": epochs,
        "batch_size": batch_size,
        "lora_rank": lora_rank,
        "max_perplexity_rise": max_perplexity_rise,
    }
    # Before anything is loaded, since it is what is most often mistyped.
    repairing = _valid(
        lambda: Repair(
            method=repair,
            options=_options(option or ()),
            train=train,
            freeze_erased=freeze_erased,
            reset_schedule="every_epoch" if every_epoch else "once",
            **{name: given for name, given in trained.items() if given is not None},
        )
    )
    kind: UnitKind = "head" if heads else "mlp"
    chosen = [g is not None for g in (unit or None, codes, top, top_share, share, no_edits or None)]
    if sum(chosen) > 1:
        raise PlanError(
            "give one of --unit, --codes, --top, --top-share, --random-share and --no-edits: each "
            "says which units."
        )
    if no_edits or (not any(chosen) and _is_adapter(repairing)):
        no_edits = True
        if operation or value is not None or label:
            raise PlanError("--operation, --value and --label are of units; none is edited here.")
        if not repairing.trains and keep == 1:
            raise PlanError("no edit, no repair, and all is kept: such a plan changes nothing.")
    if layers is not None and share is None and top_share is None:
        raise PlanError("--layers says where a share is taken; give a share too.")
    if rows and (share is None or heads):
        raise PlanError("--rows are drawn by --random-share, and are no heads.")
    last = _last(layers or "last")
    examined = open_model(model)
    detector = detector_for(ner)
    corpus, records = open_detected(corpus, detector)
    say_what_was_found(detector)
    examined = as_trained(examined, records)
    names = tuple(subjects or ())
    earlier = tuple(set(asked_before(model)) - set(names)) if names else ()
    asked = in_scope(records, names, earlier)
    opened = {
        each.id: (source, each)
        for source in sae or ()
        for each in [open_dictionary(source, examined, fetch=True)]
    }
    units: Sequence[Target] = ()
    deletion = read_deletion(codes) if codes else None
    if deletion:
        for _, own in opened.values():
            if isinstance(own, Codebook):
                deletion.check(own)
    elif unit:
        units = [parse_target(name) for name in unit]
    elif no_edits:
        pass
    elif share is not None:
        units = random_share(examined.sites, "row" if rows else kind, share, last, seed)
    else:
        scores = _located(examined, asked, method, Scope(labels=frozenset(label or ())), kind, seed)
        if top_share is not None:
            units = located_share(examined.sites, scores, top_share, last)
        else:
            count = round(suggested_share(records, asked) * scores.values.numel())
            units = scores.units(top or max(1, count))
    usual: Operation = "reset" if base else "zero"
    edits = (
        code_edits(deletion)
        if deletion
        else _edits(examined, records, units, operation or usual, value)
    )
    check_units(examined, edits, {name: own for name, (_, own) in opened.items()})
    if base and (warning := base_warning(examined, open_model(base), _texts(unseen, records))):
        say(f"Warning: {warning}")
    made = _valid(
        lambda: Plan(
            model=model_source(model, examined),
            corpus=records_source(corpus, records),
            base=_model_source(base),
            reference=_model_source(reference),
            control=_records_source(control),
            unseen=_records_source(unseen),
            saes={name: sae_source(*own) for name, own in opened.items()},
            subjects=names,
            earlier=earlier,
            opening=examined.opening,
            keep=keep,
            edits=edits,
            repair=repairing,
            controls=controls,
            seed=seed,
        )
    )
    typer.echo(inert_json(made.model_dump_json(indent=1)))
    done = ", ".join(sorted({edit.operation for edit in edits}))
    then = repair if repair == NO_REPAIR else f"{repair}, {made.repair.epochs} epochs"
    whose = f", for {len(made.subjects)} subjects alone" if made.subjects else ""
    whose += f" ({len(made.earlier)} deleted before)" if made.earlier else ""
    what = f"{len(edits)} units {done}" if edits else "no unit edited"
    say(f"plan {made.sha256[:12]}: {what}, repair {then}{whose}")


def _located(
    model: LanguageModel,
    records: Sequence[Record],
    method: str,
    scope: Scope,
    kind: UnitKind,
    seed: int,
) -> UnitScores:
    with progress("locating") as report:
        targets = find_targets(model, records, scope)
        return find_localiser(method).score(targets, Settings(kind, seed, report))


def _edits(
    model: LanguageModel,
    records: Sequence[Record],
    units: Sequence[Target],
    operation: Operation,
    value: float | None,
) -> tuple[UnitEdit, ...]:
    if value is not None:
        return _valid(
            lambda: tuple(UnitEdit(unit=str(n), operation=operation, value=value) for n in units)
        )
    if operation == "clamp":
        raise PlanError("clamp needs --value: the activation to hold the units at.")
    return choose_edits(model, records, units, operation)


def _is_adapter(repair: Repair) -> bool:
    return repair.trains and find_method(repair.method).adapter is not None


def _texts(unseen: str | None, records: Sequence[Record]) -> Sequence[Record]:
    """What a model's knowledge is measured on: notes that nobody trained on, where there are."""
    return open_records(unseen) if unseen else records


def _options(given: Sequence[str]) -> dict[str, bool | int | float | str]:
    """`name=value` words as a mapping; the method's own model says what the values are."""
    pairs = [word.partition("=") for word in given]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise PlanError(f"--option {name}: write it as name=value.")
    return {name: value for name, _, value in pairs}


def _last(layers: str) -> int | None:
    """How many of the last layers; None for all."""
    if layers == "all":
        return None
    if layers != "last" and not layers.isdecimal():
        raise PlanError(f"--layers {layers}: it is last, all, or a number.")
    return 1 if layers == "last" else int(layers)


def _valid(make: Callable[[], T]) -> T:
    """What `make` makes; a wrong field is a user's error in one sentence."""
    try:
        return make()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        what = first["msg"].removeprefix("Value error, ")
        raise PlanError(f"{where}: {what}." if where else f"{what}.") from None


def _model_source(source: str | None) -> Source | None:
    return model_source(source, open_model(source)) if source else None


def _records_source(source: str | None) -> Source | None:
    return records_source(source, open_records(source)) if source else None
