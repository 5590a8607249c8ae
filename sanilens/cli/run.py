"""`sanilens run`: execute a plan, or resume it where it stopped."""

import signal
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from sanilens.audit.attacks import ATTACKS
from sanilens.audit.perplexity import worded_perplexity
from sanilens.cli.common import JsonOption, output, print_json, say
from sanilens.cli.compare import arms_table, groups_table, print_verdict
from sanilens.progress import duration
from sanilens.runs.arms import TITLES, load_arms
from sanilens.runs.attacking import STATE_TITLES
from sanilens.runs.events import extracted_of
from sanilens.runs.execute import Cancelled, execute
from sanilens.runs.folder import RunFolder
from sanilens.runs.progress import progress_of
from sanilens.unlearn.plan import Plan, read_plan
from sanilens.unlearn.saved_adapter import WORDS as ADAPTER_WORDS


def run(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan, as JSON.")],
    out: Annotated[
        Path, typer.Option(help="The run's folder; an unfinished run in it is resumed.")
    ],
    anew: Annotated[
        bool,
        typer.Option(
            "--anew", help="Measure everything, also what an earlier run has measured alike."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Execute a plan in a folder of its own. Ctrl+C stops after the step; run again to resume."""
    plan = read_plan(plan_file)
    folder = RunFolder(out)

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        try:
            folder.cancel_file.touch(mode=0o600)
        except OSError:  # there is no folder yet, so nothing to be finished first
            raise SystemExit(1) from None

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask_to_stop)
    try:
        execute(plan, out, _Teller(plan), anew=anew, foretell=True)
    except Cancelled:
        say(f"Cancelled. Resume with: sanilens run {plan_file} --out {out}")
        raise typer.Exit(1) from None
    arms = load_arms(folder.arms)
    if as_json:
        print_json({"plan": plan.sha256, "arms": arms})
        return
    output.print(arms_table(arms))
    if table := groups_table(folder):
        output.print(table)
    print_verdict(folder)
    output.print(f"Sanitised model: {folder.model}")
    if folder.adapter.exists():
        output.print(f"Adapter: {folder.adapter}\n({ADAPTER_WORDS}.)")


class _Teller:
    """Says what a run does, and how long all of it still takes."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._events: list[dict[str, Any]] = []

    def __call__(self, event: dict[str, Any]) -> None:
        say_event(event)
        self._events.append(event)
        if event["event"] in ("measuring", "curve"):
            left = progress_of(self._plan, self._events).seconds_left
            if left:
                say(f"{duration(left)} left, of the whole run")


def say_event(event: dict[str, Any]) -> None:
    """One line per stage on standard error; steps are for the log file."""
    arm = arm_title(event)
    match event["event"]:
        case "opening":
            say(f"every text is read after tokens {event['tokens']}, as the plan has it")
        case "edited" if event["units"]:
            say(f"{arm}: {event['units']} units edited, {event['hook_only']} as hooks only")
        case "rewritten":
            still = f"{event['extracted']} of {event['asked']} spans still extracted"
            if (left := event.get("left")) is not None:
                still += f", {left} likelier than allowed"
            if back := event.get("back"):
                still += f", {back} came back in a copy that read on"
            say(f"{arm}: rewritten, step {event['step']}, {still}, harm {event['harm']:.2g}")
        case "curve":
            share = f"{extracted_of(event)} of {event['of']} sampled spans extracted"
            known = worded_perplexity(event["perplexity"], 3)
            say(f"{arm}: step {event['step']}, {share}, perplexity {known}")
        case "measured":
            kept = ", by an earlier run" if event.get("kept") else ""
            say(f"{arm}: measured, {event['seconds']:.1f} s{kept}")
        case "attacked":
            title, state = ATTACKS[event["attack"]].title, STATE_TITLES[event["state"]].lower()
            say(f"{title}: {state}, {event['seconds']:.1f} s")
        case "stopped_early":
            say(f"{arm}: stopped early, perplexity rose")
        case "resumed":
            say(f"{arm}: resumed at step {event['step']}")


def arm_title(event: dict[str, Any]) -> str:
    """Of the arm that an event is about; empty where it is about none."""
    return TITLES.get(event.get("arm", ""), "")  # pyright: ignore
