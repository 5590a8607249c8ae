"""The whole way on a bundled case: open, plan, execute, compare."""

import math
import time
from pathlib import Path
from typing import Any

from sanilens.bundled import BUNDLED, USUAL_CASE
from sanilens.case import open_case
from sanilens.runs.arms import Arm, load_arms
from sanilens.runs.execute import OnEvent, execute
from sanilens.runs.folder import RunFolder
from sanilens.runs.planning import Wishes, build_plan
from sanilens.runs.verdict import verdict_of


def show(
    folder: Path, wishes: Wishes, on_event: OnEvent | None = None, case: str = USUAL_CASE
) -> dict[str, Any]:
    """Run a plan of the case in `folder`; the summary that `sanilens demo --json` prints."""
    started = time.monotonic()
    plan = build_plan(open_case(BUNDLED[case]), wishes)
    execute(plan, folder, on_event)
    arms = load_arms(RunFolder(folder).arms)
    words = verdict_of(RunFolder(folder))
    return {
        "arms": {name: summary(arm) for name, arm in arms.items()},
        "state": words.state,
        "verdict": f"{words.headline} {words.rests}".strip(),
        "repair_epochs": plan.repair.epochs if plan.repair.trains else 0,
        "seconds": round(time.monotonic() - started, 2),
    }


def summary(arm: Arm) -> dict[str, Any]:
    """An arm's figures by kind; rates in [0, 1]."""
    return {
        "extraction": {
            kind: {"rate": row.rate, "n": row.n, "low": row.low, "high": row.high}
            for kind, row in arm.extraction.items()
        },
        "perplexity_unseen": arm.perplexity_unseen,
        "knowledge_kept": arm.knowledge_kept,
        "facts_kept": None if math.isnan(facts := arm.figure("facts_kept")) else facts,
        "seconds": arm.seconds,
    }
