"""`sanilens keys`: a key pair for signing bundles and models."""

from pathlib import Path
from typing import Annotated

import typer

from sanilens.cli.common import JsonOption, output, print_json
from sanilens.evidence.signing import make_keys


def keys(
    out: Annotated[Path, typer.Option(help="A folder for the pair; never one to be handed over.")],
    as_json: JsonOption = False,
) -> None:
    """Make a key pair, offline: the private key signs, the public one is for whoever checks."""
    private, public = make_keys(out)
    if as_json:
        print_json({"private": str(private), "public": str(public)})
        return
    output.print(
        f"Private: {private} (yours alone: whoever has it signs as you)\nPublic:  {public}",
        highlight=False,
    )
