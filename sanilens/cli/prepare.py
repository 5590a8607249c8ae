"""`sanilens prepare`: what all requests share is measured before anybody asks."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from sanilens.cli.common import JsonOption, output, print_json, progress
from sanilens.cli.run import arm_title
from sanilens.runs.execute import prepare as prepare_requests
from sanilens.unlearn.plan import read_plan

# How much it gives way to whoever waits for an answer meanwhile.
_NICENESS = 10


def prepare(
    plan_file: Annotated[
        Path, typer.Argument(metavar="PLAN", help="A plan as JSON, such as one person's request.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Measure what plans like this one share, so that the next request takes seconds."""
    os.nice(_NICENESS)
    planned: list[str] = []
    kept: list[str] = []
    with progress("measuring") as report:

        def tell(event: dict[str, Any]) -> None:
            match event["event"]:
                case "arms":
                    planned.extend(event["names"])
                case "measured":
                    kept.append(event["arm"])
            doing = "curvature" if event["event"] == "preparing" else arm_title(event).lower()
            report(len(kept), len(planned), doing)

        prepare_requests(read_plan(plan_file), tell)
    if as_json:
        print_json({"kept": kept})
        return
    output.print(f"Kept for the next runs: {len(kept)} arms, and curvature.")
