"""`sanilens verify`: is a bundle, an exported model or a run what it says it is?"""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from sanilens.audit.attacks import find_attacks
from sanilens.cli.common import JsonOption, output, print_json
from sanilens.cli.run import say_event
from sanilens.errors import RunError
from sanilens.evidence.bundle import run_in
from sanilens.evidence.replay import replay as replay_plan
from sanilens.evidence.verify import Check, failed
from sanilens.evidence.verify import verify as verify_folder
from sanilens.inert import inert
from sanilens.runs.attacking import load_attacks
from sanilens.runs.folder import RunFolder


def verify(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A bundle, an exported model, or a run.")
    ],
    key: Annotated[
        Path | None, typer.Option("--key", help="The signer's public key, got by another way.")
    ] = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Execute the plan again and compare.")
    ] = False,
    attacks: Annotated[
        str,
        typer.Option(
            help="Which of the run's attacks --replay tries again: names with commas between, all, "
            "or none."
        ),
    ] = "all",
    as_json: JsonOption = False,
) -> None:
    """Check digests, signature, event chain, plan and figures; exits with 3 if one is wrong.

    Whoever made a run can rewrite its tables and every hash: --replay alone shows that the figures
    are the models', on models and texts of your own.
    """
    found = verify_folder(folder, key)
    if replay and not failed(found):
        with tempfile.TemporaryDirectory(prefix="sanilens-replay-") as scratch:
            run = run_in(folder)
            found += replay_plan(run, Path(scratch) / "run", say_event, _chosen(run, attacks))
    elif not replay and run_in(folder).plan_file.exists():
        found.append(Check("figures of the models", "not checked", "tables and hashes can be made "
                           "up together; --replay executes plan and attacks again"))  # fmt: skip
    if as_json:
        print_json({"checks": [each._asdict() for each in found], "ok": not failed(found)})
    else:
        output.print(_table(found))
    if failed(found):
        raise typer.Exit(3)


def _chosen(run: RunFolder, attacks: str) -> list[str]:
    """Those named that the run was tried by."""
    tried = load_attacks(run)
    if attacks in ("all", "none"):
        return [*tried] if attacks == "all" else []
    named = [each.name for each in find_attacks(attacks.split(","))]
    if missing := [name for name in named if name not in tried]:
        raise RunError(f"{missing[0]} was not tried in this run.")
    return named


def _table(found: list[Check]) -> Table:
    table = Table()
    for name in ("what", "outcome", "in words"):
        table.add_column(name)
    for each in found:
        style = {"WRONG": "bold red", "not checked": "yellow"}.get(each.outcome, "green")
        table.add_row(each.what, Text(each.outcome, style), Text(inert(each.words)))
    return table
