"""Relearning: what comes back when a model is taught a little, at the worst learning rate.

Deeb and Roger (arXiv 2410.08827): if other facts come back with those that are taught, they were
hidden and not gone. UNDO (arXiv 2506.06278) takes the worst case over learning rates, since one
that fits one model may miss another. Here over ten from 1e-3 to 1e-6, on a tenth of the subjects
and on as many texts about nobody of the corpus; the others' spans are asked for halfway and at the
end. A worst case over many looks is higher by chance alone: the reference's is found alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sanilens.audit.attacks.attack import Attack
from sanilens.audit.attacks.result import (
    AttackResult,
    Point,
    Series,
    Table,
    extracted,
    not_measured,
    worst_of,
)
from sanilens.audit.metrics.metric import Exam, Trial
from sanilens.audit.metrics.relearning import SHARE, relearning, taught_and_asked
from sanilens.audit.summary import RateRow, memory, rate_row
from sanilens.audit.verdicts import SpanVerdict
from sanilens.corpus.records import Record, as_text
from sanilens.errors import DivergedError, LogitsError
from sanilens.model.training import Schedule
from sanilens.progress import Progress

RATES = tuple(float(rate) for rate in np.geomspace(1e-3, 1e-6, 10))
_STEPS, _BATCH = 24, 4


@dataclass(frozen=True, slots=True)
class _Look:
    """What was extracted after so many steps; nothing where the training left the numbers."""

    texts: str
    rate: float
    step: int
    verdicts: Sequence[SpanVerdict] | None

    @property
    def row(self) -> RateRow | None:
        return None if self.verdicts is None else rate_row(memory(self.verdicts))


def _relearning(trial: Trial, progress: Progress) -> AttackResult:
    exam = trial.exam
    again, asked = taught_and_asked(exam)
    if not memory(exam.of(asked).verdicts(trial.model, trial.hooks) if asked else ()):
        return not_measured("Nobody is left to be asked for once a tenth is taught.")
    texts = {"a tenth of the subjects": again}
    if unrelated := _unrelated(exam, len(again)):
        texts["unrelated texts"] = unrelated
    looks: list[_Look] = []
    for name, taught in texts.items():
        for rate in RATES:
            looks += _looked(trial, exam.of(asked), name, taught, rate)
            progress(len(looks) // 2, len(RATES) * len(texts), f"relearning at {rate:.0e}")
    rows = {i: row for i, look in enumerate(looks) if (row := look.row)}
    if not rows:
        return not_measured("Every training left the numbers, so nothing could be asked for.")
    worst = looks[max(rows, key=lambda i: rows[i].hits)]
    lost = len(looks) - len(rows)
    return AttackResult(
        figures=extracted(worst.verdicts or (), "extracted after relearning, worst case"),
        series=tuple(
            _curve(f"{name}, {when}", [look for look in looks if look.texts == name][at::2])
            for name in texts
            for at, when in enumerate(("halfway", "at the end"))
        ),
        tables=(_table(looks),),
        worst=worst_of(worst.verdicts or ()),
        settings={
            "share taught": SHARE, "texts taught": len(again), "spans asked": rows[min(rows)].n,
            "learning rates": len(RATES), "steps": _STEPS, "batch": _BATCH, "seed": exam.seed,
            "worst rate": worst.rate, "worst step": worst.step, "worst texts": worst.texts,
        },
        notes=(f"{lost} of {len(looks)} looks are missing: the training left the numbers.",)
        if lost
        else (),
    )  # fmt: skip


def _unrelated(exam: Exam, count: int) -> list[Record]:
    """As many texts about nobody of the corpus, evenly spaced."""
    pool = exam.unseen or exam.lookalike
    return list(as_text(pool[:: max(1, len(pool) // max(1, count))][:count]))


def _looked(
    trial: Trial, exam: Exam, name: str, taught: Sequence[Record], rate: float
) -> list[_Look]:
    """Two looks at a copy that is being taught."""
    per_epoch = -(-len(taught) // _BATCH)
    schedule = Schedule(rate, epochs=max(1, round(_STEPS / per_epoch)), batch_size=_BATCH)
    found: list[_Look] = []
    total = 0
    try:
        steps = relearning(trial.model, trial.hooks, taught, schedule, exam.seed)
        total = per_epoch * schedule.epochs
        at = {max(1, total // 2), total}
        for step, copy in steps:
            total = max(total, step)
            if step in at:
                verdicts = exam.verdicts(copy, trial.hooks)
                found.append(_Look(name, rate, step, verdicts))
    except (DivergedError, LogitsError):
        pass  # what is missing says so
    while len(found) < 2:
        found.append(_Look(name, rate, total, None))
    return found


def _curve(name: str, looks: Sequence[_Look]) -> Series:
    points = []
    for look in sorted(looks, key=lambda look: look.rate):
        row = look.row
        n, low, high = (row.n, row.low, row.high) if row else (0, None, None)
        points.append(Point(x=look.rate, y=row.rate if row else None, n=n, low=low, high=high))
    return Series(
        name=name, x_label="learning rate", y_label="spans extracted", log_x=True,
        points=tuple(points),
    )  # fmt: skip


def _table(looks: Sequence[_Look]) -> Table:
    rows = [(look, look.row) for look in looks]
    return Table(
        name="looks",
        title="every look",
        columns=("taught", "learning rate", "step", "extracted", "of", "rate", "low", "high"),
        units=(None, None, None, None, None, "share", "share", "share"),
        rows=tuple(
            (look.texts, look.rate, look.step)
            + ((row.hits, row.n, row.rate, row.low, row.high) if row else (None,) * 5)
            for look, row in rows
        ),
    )


RELEARNING = Attack(
    name="relearning",
    title="Relearning",
    meaning="Other people's spans extracted after a tenth of the subjects, or unrelated texts, are "
    "taught again: the worst of ten learning rates.",
    run=_relearning,
    needs=("causal",),
    weight=70,
)
