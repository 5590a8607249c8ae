"""`sanilens demo`: the bundled case, whole way, no browser; `demo build` rebuilds its files."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from sanilens.commands.common import JsonOption, SeedOption, output, print_json, say
from sanilens.commands.compare import arms_table
from sanilens.commands.run import tell
from sanilens.demo.showcase import show
from sanilens.runs.arms import load_arms
from sanilens.runs.folder import RunFolder

demo = typer.Typer(help="The bundled case: whole way, no browser.", invoke_without_command=True)


@demo.callback()
def main(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help="Keep the run in this folder.")] = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Audit, locate, plan, repair and compare on the bundled clinic."""
    if context.invoked_subcommand:
        return
    if out:
        _show(out, seed, as_json)
        return
    with tempfile.TemporaryDirectory(prefix="sanilens-demo-") as folder:
        _show(Path(folder) / "run", seed, as_json)


@demo.command("build")
def build(
    out: Annotated[Path | None, typer.Option(help="Where; assets/ unless given.")] = None,
    keep_base: Annotated[
        bool, typer.Option("--keep-base", help="Use the base model that is there.")
    ] = False,
    autoencoder: Annotated[
        bool, typer.Option("--autoencoder", help="Rebuild the autoencoder only.")
    ] = False,
) -> None:
    """Rebuild the bundled case from its seeds, and print what it measures."""
    # Imported here: nobody but the builder needs the trainers of tokenizers.
    from sanilens.bundled import assets_folder
    from sanilens.demo.autoencoder import AutoencoderRecipe, build_autoencoder
    from sanilens.demo.build import Recipe, build_case

    folder = (out or assets_folder()) / "clinic"
    if not autoencoder:
        build_case(Recipe(), folder, say, keep_base=keep_base)
    build_autoencoder(folder, AutoencoderRecipe(), say)


def _show(folder: Path, seed: int, as_json: bool) -> None:
    say("Auditing and locating in the bundled clinic …")
    result = show(folder, seed, tell)
    if as_json:
        print_json(result)
        return
    output.print(arms_table(load_arms(RunFolder(folder).arms)))
    output.print(f"{result['repair_epochs']} repair epochs, {result['seconds']:.0f} s in all")
