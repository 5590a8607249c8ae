"""`sanilens export`: the sanitised model as a folder to hand over."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from sanilens.cli.common import JsonOption, output, print_json, progress, say
from sanilens.cli.stating import ByOption, KeyOption, StatementOption, read_statement
from sanilens.evidence.digests import folder_digest, read_seal
from sanilens.evidence.export import export as export_run
from sanilens.evidence.words import with_interval
from sanilens.model.packed import Bits
from sanilens.runs.folder import RunFolder


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run's folder.")],
    out: Annotated[Path, typer.Option(help="A new folder for the model.")],
    statement: StatementOption = None,
    by: ByOption = "",
    key: KeyOption = None,
    bits: Annotated[
        Literal["8", "4"] | None,
        typer.Option(help="Weights in so many bits: another artefact, audited as one."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the audited weights with card, lineage and seal; with a key, signed."""
    stated = read_statement(statement, by)
    # Typer has no numbers to choose from.
    fewer: Bits | None = None if bits is None else 8 if bits == "8" else 4
    with progress("auditing") as report:
        found = export_run(RunFolder(folder), out, stated, key, fewer, report)
    artefact = found.artefact
    # In fewer bits the files are new ones, as the folder's seal has them.
    sha256 = folder_digest(read_seal(out)) if bits else artefact.sha256
    said = found.rate(f"int{bits}" if bits else "after", found.about)
    if as_json:
        print_json({"model": str(out), "sha256": sha256, "in_weights": artefact.in_weights,
                    "extracted": said.model_dump() if said else None})  # fmt: skip
    else:
        output.print(f"The model: {out}\nSHA-256 of its files: {sha256}\n"
                     f"Of what was to be forgotten it says {with_interval(said)}.",
                     highlight=False)  # fmt: skip
    if not artefact.in_weights:
        say(
            "NOT all of the plan is in these weights: by themselves they are not the model that "
            "was audited. README.md in the folder says what is missing."
        )
