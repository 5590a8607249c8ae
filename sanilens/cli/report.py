"""`sanilens report`: what a run shows, as one page for a person or as an auditor's bundle."""

from pathlib import Path
from typing import Annotated

import typer

from sanilens.atomic import write_text
from sanilens.cli.common import JsonOption, output, print_json, say
from sanilens.cli.stating import ByOption, KeyOption, StatementOption, read_statement
from sanilens.errors import RunError
from sanilens.evidence.build import build_evidence
from sanilens.evidence.bundle import write_bundle
from sanilens.evidence.evidence import Evidence
from sanilens.evidence.examples import read_examples
from sanilens.evidence.gate import SAMPLE
from sanilens.evidence.html import letter_html, report_html
from sanilens.runs.folder import RunFolder


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run's folder.")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="NAME.html: one page. Any other name: a folder, the bundle. "
            "By default the run's name, .html, where you are."
        ),
    ] = None,
    subject: Annotated[
        str | None, typer.Option(help="A letter to this person instead, without their data.")
    ] = None,
    confidential: Annotated[
        bool, typer.Option(help="With examples: texts of the corpus. Marked on every page.")
    ] = False,
    statement: StatementOption = None,
    by: ByOption = "",
    criteria: Annotated[
        Path, typer.Option(help="Acceptance criteria of the bundle, as of sanilens gate.")
    ] = SAMPLE,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write what a run shows: an HTML page to read and print, or a bundle that can be checked."""
    run, stated = RunFolder(folder), read_statement(statement, by)
    out = out or Path(f"{folder.resolve().name}.html")
    if out.suffix.lower() not in (".html", ".htm"):
        if subject or confidential:
            raise RunError(
                "A letter or a confidential report is one page: give NAME.html to --out."
            )
        _said(write_bundle(run, out, stated, criteria=criteria, key=key), out, as_json)
        return
    if key:
        raise RunError("A page by itself cannot be signed. Give a folder to --out for a bundle.")
    if out.exists():
        raise RunError(f"{out.name} is there already. Give another name to --out.")
    found = build_evidence(run, stated)
    if subject:
        page = letter_html(found, subject)
    else:
        page = report_html(found, read_examples(run) if confidential else ())
    write_text(out, page)
    if confidential:
        say("This page holds personal data of the corpus. Keep it as you keep the corpus.")
    _said(found, out, as_json)


def _said(found: Evidence, out: Path, as_json: bool) -> None:
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    output.print(found.headline or "No verdict.", style="bold", highlight=False)
    open_questions = sum(a.state == "not measured" for a in found.answers)
    output.print(
        f"{open_questions} of {len(found.answers)} questions are not measured. Written: {out}",
        highlight=False,
    )
