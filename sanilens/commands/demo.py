"""`sanilens demo`: the bundled case, whole way, no browser; `demo build` rebuilds its files."""

import tempfile
from pathlib import Path
from typing import Annotated, Literal

import typer

from sanilens.commands.common import JsonOption, SeedOption, output, print_json, say
from sanilens.commands.compare import arms_table, print_verdict
from sanilens.commands.run import tell
from sanilens.demo.showcase import show
from sanilens.runs.arms import load_arms
from sanilens.runs.folder import RunFolder

Case = Literal["clinic", "confidential"]
CaseOption = Annotated[Case, typer.Option("--case", help="Which of the bundled cases.")]

demo = typer.Typer(help="The bundled case: whole way, no browser.", invoke_without_command=True)


@demo.callback()
def main(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help="Keep the run in this folder.")] = None,
    case: CaseOption = "clinic",
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Audit, locate, plan, repair and compare on a bundled case."""
    if context.invoked_subcommand:
        return
    if out:
        _show(out, case, seed, as_json)
        return
    with tempfile.TemporaryDirectory(prefix="sanilens-demo-") as folder:
        _show(Path(folder) / "run", case, seed, as_json)


@demo.command("build")
def build(
    out: Annotated[Path | None, typer.Option(help="Where; assets/ unless given.")] = None,
    keep_base: Annotated[
        bool, typer.Option("--keep-base", help="Use the base model that is there.")
    ] = False,
    case: CaseOption = "clinic",
    autoencoder: Annotated[
        bool, typer.Option("--autoencoder", help="Rebuild the autoencoder only.")
    ] = False,
) -> None:
    """Rebuild a bundled case from its seeds, and print what it measures."""
    # Imported here: nobody but the builder needs the trainers of tokenizers.
    from sanilens.bundled import assets_folder
    from sanilens.demo.autoencoder import AutoencoderRecipe, build_autoencoder
    from sanilens.demo.build import Recipe, build_case
    from sanilens.demo.confidential import build_confidential

    folder = (out or assets_folder()) / case
    if case == "confidential":
        build_confidential(folder, say, keep_base=keep_base)
        return
    if not autoencoder:
        build_case(Recipe(), folder, say, keep_base=keep_base)
    build_autoencoder(folder, AutoencoderRecipe(), say)


def _show(folder: Path, case: Case, seed: int, as_json: bool) -> None:
    say(f"Auditing and locating in the bundled case {case} …")
    result = show(folder, seed, tell, case)
    if as_json:
        print_json(result)
        return
    run = RunFolder(folder)
    output.print(arms_table(arms := load_arms(run.arms)))
    print_verdict(run, arms)
    output.print(f"{result['repair_epochs']} repair epochs, {result['seconds']:.0f} s in all")
