"""`sanilens demo build`: a bundled case, rebuilt from its seeds."""

from pathlib import Path
from typing import Annotated

import typer

from research.cases.autoencoder import AutoencoderRecipe, build_autoencoder
from research.cases.build import Recipe, build_case
from research.cases.confidential import build_confidential
from research.cases.ward.recipe import build_ward
from sanilens.bundled import assets_folder
from sanilens.cli.common import CaseOption, say
from sanilens.errors import SaniLensError


def build(
    out: Annotated[Path | None, typer.Option(help="Where; assets/ unless given.")] = None,
    keep_base: Annotated[
        bool, typer.Option("--keep-base", help="Use the base model that is there.")
    ] = False,
    case: CaseOption = "ward",
    autoencoder: Annotated[
        bool, typer.Option("--autoencoder", help="Rebuild the autoencoder only.")
    ] = False,
) -> None:
    """Rebuild a bundled case from its seeds, and print what it measures."""

    folder = (out or assets_folder()) / case
    if case != "clinic":
        if autoencoder:
            raise SaniLensError("only the clinic has an autoencoder; give --case clinic.")
        build_other = build_confidential if case == "confidential" else build_ward
        build_other(folder, say, keep_base=keep_base)
        return
    if not autoencoder:
        build_case(Recipe(), folder, say, keep_base=keep_base)
    build_autoencoder(folder, AutoencoderRecipe(), say)
