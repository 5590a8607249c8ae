"""Fill the table: every arm and seed, each row kept as soon as it is measured."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from research.cases.build import to_examples
from research.kept import decided_sha256, read_kept
from research.sanitise.arms import Arm, Group
from research.sanitise.case import Case
from research.sanitise.figures import Figures, measure
from sanilens.atomic import write_text
from sanilens.model.training import Schedule, train_

Tell = Callable[[int, int, str], None]
"""Hears of rows done, rows in all, and which comes next."""


class Row(BaseModel):
    """An arm, a seed, its figures; `seconds` and `cost` are of this machine and this run.

    seconds: of processor time, which other work on the machine disturbs less than the clock's.
    cost: these as a share of what the leak's own training takes, measured in the same run.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    group: Group
    seed: int
    figures: Figures
    seconds: float
    cost: float


class SanitiseResult(BaseModel):
    """The whole table. `sha256` is of all that a seed decides: rows without their times."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    model_sha256: str
    records: int
    seeds: tuple[int, ...]
    leak_seconds: float
    rows: tuple[Row, ...]
    sha256: str


def bench_sanitise(
    case: Case,
    arms: Sequence[Arm],
    seeds: Sequence[int],
    *,
    kept: Path | None = None,
    tell: Tell | None = None,
) -> SanitiseResult:
    """Measure every arm under every seed; a model that is given as it is, once.

    Args:
        case: what is sanitised.
        arms: the rows.
        seeds: of draws, batches and attacks.
        kept: a folder in which rows are kept, so that a cut run goes on; else nothing is kept.
        tell: hears of progress; may raise to cancel.

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
    rows: list[Row] = []
    for number, (arm, seed) in enumerate(wanted):
        if tell:
            tell(number, len(wanted), f"{arm.name}, seed {seed}")
        path = kept and kept / f"{_slug(case, arm, seed)}.json"
        row = read_kept(path, Row)
        if row is None:
            row = _row(case, arm, seed, leak_seconds)
            if path:
                write_text(path, row.model_dump_json())
        rows.append(row)
    if tell:
        tell(len(wanted), len(wanted), "done")
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


def _row(case: Case, arm: Arm, seed: int, leak_seconds: float) -> Row:
    started = time.process_time()
    model = arm.make(case, seed)
    seconds = time.process_time() - started
    return Row(
        method=arm.name,
        group=arm.group,
        seed=seed,
        figures=measure(case, model, seed),
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


def _slug(case: Case, arm: Arm, seed: int) -> str:
    """Of the model too: rows of another one are not taken for this one's."""
    words = "".join(c if c.isalnum() else "-" for c in arm.name)
    return f"{case.name}-{case.model.fingerprint[:8]}-{words}-{seed}"
