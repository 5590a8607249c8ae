"""The whole way on a bundled case: audit, locate, default plan, repair, compare."""

import time
from pathlib import Path
from typing import Any

from sanilens.runs.arms import Arm, load_arms
from sanilens.runs.execute import Tell, execute
from sanilens.runs.folder import RunFolder
from sanilens.runs.sources import model_source, open_model, open_records, records_source
from sanilens.unlearn.plan import Plan, Source
from sanilens.unlearn.suggest import default_edits, default_repair

_CORPUS = {"clinic": "notes", "confidential": "documents"}


def default_plan(seed: int = 0, case: str = "clinic") -> Plan:
    """The suggested plan of a bundled case: its strongest units reset, anchored repair."""
    corpus = f"{case}:{_CORPUS[case]}"
    subject, base = open_model(f"{case}:leaking"), open_model(f"{case}:base")
    notes = open_records(corpus)

    def model(name: str) -> Source:
        return model_source(f"{case}:{name}", open_model(f"{case}:{name}"))

    def records(name: str) -> Source:
        return records_source(f"{case}:{name}", open_records(f"{case}:{name}"))

    return Plan(
        model=model_source(f"{case}:leaking", subject),
        base=model_source(f"{case}:base", base),
        reference=model("reference"),
        corpus=records_source(corpus, notes),
        control=records("lookalike"),
        unseen=records("unseen"),
        edits=default_edits(subject, base, notes, seed),
        repair=default_repair(base),
        seed=seed,
    )


def show(
    folder: Path, seed: int = 0, tell: Tell | None = None, case: str = "clinic"
) -> dict[str, Any]:
    """Run the case's default plan in `folder`; the summary that `sanilens demo --json` prints."""
    started = time.monotonic()
    plan = default_plan(seed, case)
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
