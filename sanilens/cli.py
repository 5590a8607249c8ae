"""The command line: every page's command. Parses, calls, prints; decides nothing.

Exit codes: 0 done, 1 a user's error (one message, no traceback), 2 wrong usage.
"""

import os
import sys

# Before any library is imported: telemetry off, no network unless the user names a hub id.
os.environ.setdefault("WANDB_MODE", "disabled")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import typer

from sanilens import __version__
from sanilens.commands import app as app_command
from sanilens.commands import audit, bench, card, compare, demo, indirect, locate, plan, run, sae
from sanilens.errors import SaniLensError

cli = typer.Typer(
    name="sanilens",
    help="See what a language model has memorised, erase it, repair it, prove that it is gone.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its tracebacks print local values, and those are patients'
)
cli.command("app")(app_command.app)
cli.add_typer(demo.demo, name="demo")
cli.command("audit")(audit.audit)
cli.command("indirect")(indirect.indirect)
cli.command("mark")(indirect.mark)
cli.command("locate")(locate.locate)
cli.command("card")(card.card)
cli.add_typer(sae.sae, name="sae")
cli.command("plan")(plan.plan)
cli.command("run")(run.run)
cli.command("compare")(compare.compare)
cli.add_typer(bench.bench, name="bench")


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
        typer.echo(f"sanilens: {error}", err=True)
        sys.exit(1)
