"""The command line: every page's command. Parses, calls, prints; decides nothing.

Exit codes: 0 done, 1 a user's error (one message, no traceback), 2 wrong usage, 3 a run's files are
not what the run wrote. `compare --exit-code` also: 4 a leak is not gone, 5 undecided, 6 queued;
`gate`: 4 a criterion is not met, 5 none fails but one is not measured.
"""

import os
import sys
from typing import Any

# Before any library is imported: telemetry off, no network unless the user types hub:….
os.environ.setdefault("WANDB_MODE", "disabled")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Threads that wait for each other spin a sixth as long as usual before they sleep: beside any other
# process, spinning took up to twenty times what they compute. Sleeping at once would take half as
# much again on a quiet machine.
os.environ.setdefault("GOMP_SPINCOUNT", "50000")

import typer
from typer.core import TyperGroup

from sanilens import __version__
from sanilens.bundled import in_clone
from sanilens.cli.lazy import LazyCommand
from sanilens.errors import IntegrityError, SaniLensError
from sanilens.inert import inert
from sanilens.notices import hearing

# Each command and the module of this folder that defines it, in the order of the help.
COMMANDS = {
    "app": "app",
    "detect": "detect",
    "audit": "audit",
    "indirect": "indirect",
    "mark": "indirect",
    "locate": "locate",
    "card": "card",
    "sae": "sae",
    "codes": "codes",
    "plan": "plan",
    "prepare": "prepare",
    "run": "run",
    "attack": "attack",
    "compare": "compare",
    "report": "report",
    "verify": "verify",
    "export": "export",
    "gate": "gate",
    "keys": "keys",
    "record": "record",
    "undo": "undo",
    "localisers": "localisers",
    "demo": "demo",
}
# What measures SaniLens itself is there in a clone only.
RESEARCH = {"bench": "research.commands.bench"}


class _Commands(TyperGroup):
    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, module in COMMANDS.items():
            self.add_command(LazyCommand(name, f"sanilens.cli.{module}"))
        if in_clone():
            for name, module in RESEARCH.items():
                self.add_command(LazyCommand(name, module))

    def invoke(self, ctx: Any) -> Any:
        """Run a command, and say on standard error what it is told while it loads."""
        with hearing(lambda notice: typer.echo(f"sanilens: {inert(notice)}", err=True)):
            return super().invoke(ctx)


cli = typer.Typer(
    name="sanilens",
    cls=_Commands,
    help="See what a language model has memorised, erase it, repair it, show that it is gone.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its tracebacks print local values, and those are patients'
)


@cli.callback(invoke_without_command=True)
def _version(version: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line and turn user errors into one message on standard error."""
    try:
        cli()
    except SaniLensError as error:
        typer.echo(f"sanilens: {inert(str(error))}", err=True)
        sys.exit(3 if isinstance(error, IntegrityError) else 1)
