"""`sanilens verify`: is a bundle, an exported model or a run what it says it is?"""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from sanilens.cli.common import JsonOption, output, print_json
from sanilens.cli.run import say_event
from sanilens.evidence.bundle import run_in
from sanilens.evidence.replay import replay as replay_plan
from sanilens.evidence.verify import Check, failed
from sanilens.evidence.verify import verify as verify_folder
from sanilens.inert import inert


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
    as_json: JsonOption = False,
) -> None:
    """Check digests, signature, event chain, plan and figures; exits with 3 if one is wrong."""
    found = verify_folder(folder, key)
    if replay and not failed(found):
        with tempfile.TemporaryDirectory(prefix="sanilens-replay-") as scratch:
            found += replay_plan(run_in(folder), Path(scratch) / "run", say_event)
    if as_json:
        print_json({"checks": [each._asdict() for each in found], "ok": not failed(found)})
    else:
        output.print(_table(found))
    if failed(found):
        raise typer.Exit(3)


def _table(found: list[Check]) -> Table:
    table = Table()
    for name in ("what", "outcome", "in words"):
        table.add_column(name)
    for each in found:
        style = {"WRONG": "bold red", "not checked": "yellow"}.get(each.outcome, "green")
        table.add_row(each.what, Text(each.outcome, style), Text(inert(each.words)))
    return table
