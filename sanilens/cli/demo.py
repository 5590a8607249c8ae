"""`sanilens demo`: the bundled case, the whole way, without a browser."""

import tempfile
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from sanilens.bundled import in_clone
from sanilens.cli.common import Case, CaseOption, JsonOption, SeedOption, output, print_json, say
from sanilens.cli.compare import arms_table, print_verdict
from sanilens.cli.run import say_event
from sanilens.demo import show
from sanilens.runs.arms import load_arms
from sanilens.runs.folder import RunFolder
from sanilens.runs.planning import Wishes
from sanilens.unlearn.suggest import PRESETS

demo = typer.Typer(
    help="Take a bundled case all the way, without a browser.", invoke_without_command=True
)
if in_clone():  # generators and trainers, in a clone only
    demo.command("build")(import_module("research.commands.build").build)


@demo.callback()
def main(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help="Keep the run in this folder.")] = None,
    case: CaseOption = "ward",
    preset: Annotated[
        str | None,
        typer.Option(help=f"The plan: {', '.join(PRESETS)}; the usual one unless given."),
    ] = None,
    subjects: Annotated[
        list[str] | None, typer.Option("--subject", help="Forget this subject alone; repeatable.")
    ] = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Audit, locate, plan, repair and compare on a bundled case."""
    if context.invoked_subcommand:
        return
    wishes = Wishes(preset=preset, subjects=tuple(subjects or ()), seed=seed)
    if out:
        _show(out, case, wishes, as_json)
        return
    with tempfile.TemporaryDirectory(prefix="sanilens-demo-") as folder:
        _show(Path(folder) / "run", case, wishes, as_json)


def _show(folder: Path, case: Case, wishes: Wishes, as_json: bool) -> None:
    say(f"Auditing and locating in the bundled case {case} …")
    result = show(folder, wishes, say_event, case)
    if as_json:
        print_json(result)
        return
    run = RunFolder(folder)
    output.print(arms_table(load_arms(run.arms)))
    print_verdict(run)
    output.print(f"{result['repair_epochs']} repair epochs, {result['seconds']:.0f} s in all")
