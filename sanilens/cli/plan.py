"""`sanilens plan`: build a plan without a browser; printed, so that it can be piped to a file."""

from dataclasses import replace
from typing import Annotated

import typer

from sanilens.audit.attacks import ATTACKS
from sanilens.audit.metrics import METRICS, USUAL
from sanilens.cli.common import SeedOption, progress, say
from sanilens.cli.options import (
    CaseOptions,
    RepairOptions,
    RewriteOptions,
    UnitOptions,
    grouped,
)
from sanilens.corpus.lookup import subject_named
from sanilens.errors import PlanError
from sanilens.inert import inert_json
from sanilens.runs.planning import Wishes, build_plan, preset_of, valid
from sanilens.unlearn.methods import METHODS
from sanilens.unlearn.plan import NO_REPAIR, AuditSettings, Plan, Repair
from sanilens.unlearn.suggest import PRESETS, find_preset

_ATTACKS = ", ".join(ATTACKS)
_FURTHER = [name for name in METRICS if name not in USUAL]


@grouped
def plan(
    case: CaseOptions,
    units: UnitOptions,
    repair: RepairOptions,
    rewrite: RewriteOptions,
    preset: Annotated[
        str | None,
        typer.Option(
            help=f"Where to begin: {', '.join(PRESETS)}; the one measured best unless given."
        ),
    ] = None,
    subjects: Annotated[
        list[str] | None,
        typer.Option("--subject", help="Forget this subject alone (an id, or a name); repeatable."),
    ] = None,
    keep: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Share of the fine-tuning that stays, everywhere."),
    ] = None,
    metrics: Annotated[
        list[str] | None,
        typer.Option("--metric", help=f"Measure this too; repeatable: {', '.join(_FURTHER)}."),
    ] = None,
    attacks: Annotated[
        list[str] | None,
        typer.Option("--attack", help=f"Attack the models at the end; repeatable: {_ATTACKS}."),
    ] = None,
    controls: Annotated[bool, typer.Option(help="Run the control arms too.")] = True,
    seed: SeedOption = 0,
) -> None:
    """Print a plan: a preset's, or the same with other units, another repair, another share.

    --unit names units, --top takes a localiser's best, shares are taken of layers; --no-edits
    edits none. A repair whose result is an adapter leaves all weights, so then none is edited.
    """
    # Before anything is loaded, since these are what is most often mistyped.
    units.check()
    if preset:
        find_preset(preset)
    if repair.repair not in (None, NO_REPAIR, *METHODS):
        raise PlanError(f"there is no repair {repair.repair!r}; there is {NO_REPAIR}, "
                        f"{', '.join(METHODS)}.")  # fmt: skip
    chosen = units.chosen()
    opened = case.open()
    given = Wishes(
        preset=preset,
        subjects=tuple(subject_named(opened.corpus.records, each) for each in subjects or ()),
        units=chosen,
        operation=units.operation,
        value=units.value,
        keep=keep,
    )
    another = Repair() if repair.repair else None  # which one, it does not ask
    usual = preset_of(opened, replace(given, repair=another))
    wishes = replace(
        given,
        preset=usual.name,
        repair=repair.over(usual.repair(opened.base)),
        rewrite=rewrite.over(usual.rewrite),
        audit=valid(
            lambda: AuditSettings(metrics=tuple(metrics or ()), attacks=tuple(attacks or ()))
        ),
        controls=controls,
        seed=seed,
        dictionaries=units.dictionaries(opened.model),
    )
    with progress("locating") as report:
        made = build_plan(opened, wishes, report)
    if made.changes_nothing:
        raise PlanError("no edit, no repair, and all is kept: such a plan changes nothing.")
    if made.leans_on_base and (warning := opened.base_warning):
        say(f"Warning: {warning}")
    typer.echo(inert_json(made.model_dump_json(indent=1)))
    say(f"plan {made.sha256[:12]}: {_summary(made)}")


def _summary(made: Plan) -> str:
    done = ", ".join(sorted({edit.operation for edit in made.edits}))
    what = f"{len(made.edits)} units {done}" if made.edits else "no unit edited"
    if made.rewrites_all == "first":
        what = f"all weights rewritten, {what}"
    then = made.repair.method
    if made.repair.trains:
        then += f", {made.repair.epochs} epochs"
    if made.rewrites_all == "afterwards":
        then += ", then all weights rewritten where anything is still said"
    whose = f", for {len(made.subjects)} subjects alone" if made.subjects else ""
    whose += f" ({len(made.earlier)} deleted before)" if made.earlier else ""
    return f"{what}, repair {then}{whose}"
