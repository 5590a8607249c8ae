"""The whole way on the bundled case: audit, locate, default plan, repair, compare."""

import time
from pathlib import Path
from typing import Any

from sanilens.runs.arms import Arm, load_arms
from sanilens.runs.execute import Tell, execute
from sanilens.runs.folder import RunFolder
from sanilens.runs.sources import model_source, open_model, open_records, records_source
from sanilens.unlearn.default import default_edits, default_repair
from sanilens.unlearn.plan import Plan


def default_plan(seed: int = 0) -> Plan:
    """The suggested plan of the bundled clinic: its strongest units reset, surrogate repair."""
    subject, base = open_model("clinic:leaking"), open_model("clinic:base")
    notes = open_records("clinic:notes")
    return Plan(
        model=model_source("clinic:leaking", subject),
        base=model_source("clinic:base", base),
        reference=model_source("clinic:reference", open_model("clinic:reference")),
        corpus=records_source("clinic:notes", notes),
        control=records_source("clinic:lookalike", open_records("clinic:lookalike")),
        unseen=records_source("clinic:unseen", open_records("clinic:unseen")),
        edits=default_edits(subject, base, notes, seed),
        repair=default_repair(base),
        seed=seed,
    )


def show(folder: Path, seed: int = 0, tell: Tell | None = None) -> dict[str, Any]:
    """Run the default plan in `folder`; the summary that `sanilens demo --json` prints."""
    started = time.monotonic()
    plan = default_plan(seed)
    execute(plan, folder, tell)
    arms = load_arms(RunFolder(folder).arms)
    return {
        "arms": {name: summary(arm) for name, arm in arms.items()},
        "repair_epochs": plan.repair.epochs,
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
        "seconds": arm.seconds,
    }
