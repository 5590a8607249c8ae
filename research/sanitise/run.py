"""Fill the table: every arm and seed, each row kept as soon as it is measured."""

import time
from collections.abc import Sequence
from pathlib import Path

from research.cases.build import to_examples
from research.kept import decided_sha256, read_kept
from research.sanitise.arms import Recipe
from research.sanitise.case import Case
from sanilens.atomic import write_text
from sanilens.audit.measurement import Measurement, measure
from sanilens.audit.methods_table import MethodRow, SanitiseResult
from sanilens.audit.metrics import METRICS
from sanilens.model.training import Schedule, train_
from sanilens.progress import Progress, unheard


def bench_sanitise(
    case: Case,
    arms: Sequence[Recipe],
    seeds: Sequence[int],
    *,
    kept: Path | None = None,
    progress: Progress = unheard,
) -> SanitiseResult:
    """Measure every arm under every seed; a model that is given as it is, once.

    Args:
        case: what is sanitised.
        arms: the rows.
        seeds: of draws, batches and attacks.
        kept: a folder in which rows are kept, so that a cut run goes on; else nothing is kept.
        progress: hears of progress; may raise to cancel.

    Raises:
        RunError: if `kept` holds something else.
    """
    leak_seconds = _leak_seconds(case)
    # Seed by seed: a cut run leaves a whole table of fewer seeds.
    wanted = [
        (arm, seed)
        for number, seed in enumerate(seeds)
        for arm in arms
        if arm.group != "given" or not number
    ]
    rows: list[MethodRow] = []
    for number, (arm, seed) in enumerate(wanted):
        progress(number, len(wanted), f"{arm.name}, seed {seed}")
        path = kept and kept / f"{_slug(case, arm, seed)}.json"
        row = read_kept(path, MethodRow)
        if row is None:
            row = _row(case, arm, seed, leak_seconds)
            if path:
                write_text(path, row.model_dump_json())
        rows.append(row)
    progress(len(wanted), len(wanted), "done")
    order = [arm.name for arm in arms]
    rows.sort(key=lambda row: (order.index(row.method), row.seed))
    return SanitiseResult(
        case=case.name,
        model_sha256=case.model.fingerprint,
        records=len(case.records),
        seeds=tuple(seeds),
        leak_seconds=leak_seconds,
        rows=tuple(rows),
        sha256=decided_sha256(rows, {"seconds", "cost"}),
    )


def _row(case: Case, arm: Recipe, seed: int, leak_seconds: float) -> MethodRow:
    started = time.process_time()
    model = arm.make(case, seed)
    seconds = time.process_time() - started
    exam = case.exam.seeded(seed)
    found = measure(model.model, exam, metrics=METRICS, hooks=model.hooks)
    return MethodRow(
        method=arm.name,
        group=arm.group,
        seed=seed,
        figures=Measurement(metrics=found.metrics),
        seconds=round(seconds, 2),
        cost=round(seconds / leak_seconds, 4),
    )


def _leak_seconds(case: Case) -> float:
    """What the leak's training takes here: one epoch of it is timed, on a copy, and scaled."""
    copy = case.model.copied()
    copy.module.requires_grad_(True)
    examples = to_examples(copy.tokenizer, case.records)
    started = time.process_time()
    for _ in train_(copy.module, lambda _epoch: examples, Schedule(1e-5, 1), 0):
        pass
    return (time.process_time() - started) / len(examples) * case.fine_tuning


def _slug(case: Case, arm: Recipe, seed: int) -> str:
    """Of the model too: rows of another one are not taken for this one's."""
    words = "".join(c if c.isalnum() else "-" for c in arm.name)
    return f"{case.name}-{case.model.fingerprint[:8]}-{words}-{seed}"
