"""`sanilens attack`: try attacks on the models of a run."""

import signal
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import torch
import typer
from rich.table import Table

from sanilens.audit.attacks import ATTACKS, find_attacks
from sanilens.audit.attacks.result import Figure
from sanilens.cli.common import JsonOption, output, print_json, progress, say
from sanilens.runs.attacking import (
    STATE_TITLES,
    STATES,
    Attacked,
    Pending,
    State,
    attack_beside,
    attack_run,
    load_attacks,
)
from sanilens.runs.folder import RunFolder
from sanilens.runs.integrity import resumable
from sanilens.runs.repairing import Cancelled

_SMALL = 256 * 2**20


def attack(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run's folder.")],
    attacks: Annotated[
        str | None,
        typer.Option(help=f"Which, with commas between; all by default: {', '.join(ATTACKS)}."),
    ] = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Try everything, also what another run has found alike.")
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, max=2, help="Processes; two where there are cores and memory for it."),
    ] = None,
    beside: Annotated[bool, typer.Option("--beside", hidden=True)] = False,
    as_json: JsonOption = False,
) -> None:
    """Attack a run's result beside the models it is held against. Resumes what was cancelled."""
    chosen = find_attacks(attacks.split(",") if attacks else ATTACKS)
    run = RunFolder(folder)
    if beside:  # the second process of another
        with suppress(Cancelled):
            attack_beside(folder, [each.name for each in chosen])
        return
    resumable(run)

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        run.cancel_file.touch(mode=0o600)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask_to_stop)
    pending = Pending(run, chosen)
    try:
        with progress("attacking") as report:

            def told(event: dict[str, Any]) -> None:
                if not event["event"].startswith("attack"):
                    return
                title, state = ATTACKS[event["attack"]].title, STATE_TITLES[event["state"]].lower()
                report(round(100 * pending.share(event)), 100, f"{title}: {state}")
                if event["event"] == "attacked":
                    took = f"{event['seconds']:.1f} s{', by an earlier run' * event['kept']}"
                    say(f"{title}: {state}, {took}")

            attack_run(folder, [each.name for each in chosen], told, anew=anew,
                       helped=(jobs or _jobs(run)) == 2)  # fmt: skip
    except Cancelled:
        say(f"Cancelled. What was found stays; go on with: sanilens attack {folder}")
        raise typer.Exit(1) from None
    found = {name: own for name, own in load_attacks(run).items() if ATTACKS[name] in chosen}
    if as_json:
        print_json({name: own.model_dump(mode="json") for name, own in found.items()})
        return
    for own in found.values():
        if table := attack_table(own):
            output.print(table)
        else:
            output.print(ATTACKS[own.attack].title)
        for line in remarks(own):
            output.print(line, highlight=False)


def _jobs(run: RunFolder) -> int:
    """Two where both find a core, and a second copy of the models is no burden."""
    small = sum(f.stat().st_size for f in run.model.glob("*.safetensors")) < _SMALL
    return 2 if small and torch.get_num_threads() > 1 and not torch.cuda.is_available() else 1


def attack_table(found: Attacked) -> Table | None:
    """Figures as rows, models as columns, each with its interval and n; None without a figure."""
    table = Table(title=ATTACKS[found.attack].title, title_justify="left")
    table.add_column("")
    states: list[State] = [state for state in STATES if state in found.results]
    for state in states:
        table.add_column(STATE_TITLES[state], justify="right")
    titles = {f.name: f.title for state in states for f in found.results[state].figures}
    if not titles:
        return None
    for name, title in titles.items():
        table.add_row(title, *(worded(found.results[state].figure(name)) for state in states))
    if any(found.results[state].worst for state in states):
        worst = [found.results[state].worst for state in states]
        table.add_row("worst person", *(f"{w.hits} of {w.n}" if w else "–" for w in worst))
    return table


def remarks(found: Attacked) -> list[str]:
    """What was not measured and why, and what the attack notes, each once."""
    why: dict[str, list[str]] = {}
    for state, result in found.results.items():
        if result.not_measured:
            why.setdefault(result.not_measured, []).append(STATE_TITLES[state])
    lines = [f"{', '.join(states)}: {reason}" for reason, states in why.items()]
    notes = dict.fromkeys(note for result in found.results.values() for note in result.notes)
    return [*lines, *notes]


def worded(figure: Figure | None) -> str:
    """A figure with its interval and what it rests on; a dash where it was not measured."""
    if figure is None or figure.value is None:
        return "–"
    low, high = figure.low, figure.high
    if figure.unit == "share":
        value, ends = f"{100 * figure.value:.1f} %", (low and 100 * low, high and 100 * high)
        digits = 1
    else:
        value, ends, digits = f"{figure.value:.3g}", (low, high), 2
    between = ""
    if ends[0] is not None and ends[1] is not None:
        between = f"\n[{ends[0]:.{digits}f}, {ends[1]:.{digits}f}]"
    of = f" of {figure.n:,}" if figure.unit == "share" else ""
    return f"{value}{of}{between}"
