"""`sanilens demo build`: a bundled case, rebuilt from its seeds."""

from pathlib import Path
from typing import Annotated

import typer

from research.cases.autoencoder import AutoencoderRecipe, build_autoencoder
from research.cases.build import Recipe, build_case
from research.cases.confidential import build_confidential
from research.cases.ward.recipe import AUTOENCODER, build_ward
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
    recipe = {"clinic": AutoencoderRecipe(), "ward": AUTOENCODER}.get(case)
    if autoencoder and recipe is None:
        raise SaniLensError(f"the case {case} has no autoencoder; leave --autoencoder out.")
    if autoencoder and recipe:
        build_autoencoder(folder, recipe, say)
    elif case == "clinic":
        build_case(Recipe(), folder, say, keep_base=keep_base)
        build_autoencoder(folder, AutoencoderRecipe(), say)
    else:
        build_other = build_confidential if case == "confidential" else build_ward
        build_other(folder, say, keep_base=keep_base)
