"""`sanilens undo`: the model before a request, from what its run kept."""

from pathlib import Path
from typing import Annotated

import typer

from sanilens.cli.common import JsonOption, output, print_json
from sanilens.runs.folder import RunFolder
from sanilens.runs.former import undo as undo_request


def undo(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.")],
    out: Annotated[Path, typer.Option(help="A new folder for the former model.")],
    as_json: JsonOption = False,
) -> None:
    """Take one request back: write the model as it was before the run, bit for bit."""
    model = undo_request(RunFolder(run), out)
    if as_json:
        print_json({"model": str(out), "sha256": model.fingerprint})
        return
    output.print(f"The former model: {out}")
