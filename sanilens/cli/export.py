"""`sanilens export`: the sanitised model as a folder to hand over."""

from pathlib import Path
from typing import Annotated

import typer

from sanilens.cli.common import JsonOption, output, print_json, say
from sanilens.cli.stating import ByOption, KeyOption, StatementOption, read_statement
from sanilens.evidence.export import export as export_run
from sanilens.runs.folder import RunFolder


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run's folder.")],
    out: Annotated[Path, typer.Option(help="A new folder for the model.")],
    statement: StatementOption = None,
    by: ByOption = "",
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the audited weights with card, lineage and seal; with a key, signed."""
    found = export_run(RunFolder(folder), out, read_statement(statement, by), key)
    artefact = found.artefact
    if as_json:
        print_json(
            {"model": str(out), "sha256": artefact.sha256, "in_weights": artefact.in_weights}
        )
    else:
        output.print(f"The model: {out}\nSHA-256 of its files: {artefact.sha256}", highlight=False)
    if not artefact.in_weights:
        say(
            "NOT all of the plan is in these weights: by themselves they are not the model that "
            "was audited. README.md in the folder says what is missing."
        )
