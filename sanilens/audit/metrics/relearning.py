"""Relearning: what comes back when somebody teaches a sanitised model a few of the records again.

Deeb and Roger (arXiv 2410.08827): if other facts come back with those that are taught, they were
hidden and not gone. So a tenth of the subjects is taught, and the others' spans are asked for.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from sanilens.audit.metrics.metric import Exam, Metric, Trial
from sanilens.audit.summary import RateTable, extraction_by_kind
from sanilens.corpus.records import Record
from sanilens.model.examples import note_examples
from sanilens.model.hooks import Hooks, hooked
from sanilens.model.language_model import LanguageModel
from sanilens.model.training import Schedule, train_

SHARE = 0.1
# Enough for the leaking model's own kind of training to show; the same for every model.
_SCHEDULE = Schedule(5e-4, epochs=4, batch_size=4)


def taught_subjects(records: Sequence[Record], seed: int) -> frozenset[str]:
    """The tenth of the subjects that is taught again, drawn by the seed; at least one."""
    everyone = sorted({record.subject for record in records})
    drawn = np.random.default_rng(seed).permutation(len(everyone))
    return frozenset(everyone[i] for i in drawn[: max(1, round(SHARE * len(everyone)))])


def taught_and_asked(exam: Exam) -> tuple[list[Record], list[Record]]:
    """A tenth of the subjects' records to be taught again, and the others', to be asked for.

    In a request of some people the tenth is of those who were not asked for: nobody can teach a
    model what it should have forgotten without having it.
    """
    pool = exam.others or exam.records
    taught = taught_subjects(pool, exam.seed)
    again = [record for record in pool if record.subject in taught]
    return again, [record for record in exam.records if record.subject not in taught]


def relearning(
    model: LanguageModel, hooks: Hooks, records: Sequence[Record], schedule: Schedule, seed: int
) -> Iterator[tuple[int, LanguageModel]]:
    """Teach a copy all tokens of some records, under the hooks that it is read with.

    Yields:
        After each step its number, from 1, and the copy as it then is.

    Raises:
        DivergedError: if the training leaves the numbers.
    """
    copy = model.copied()
    examples = note_examples(copy, records, teach_spans=True)
    copy.module.requires_grad_(True)
    steps = train_(copy.module, lambda _epoch: examples, schedule, seed)
    for _ in range(schedule.steps(len(examples)) * schedule.epochs):
        # Hooks are off while whoever follows looks at the copy.
        with hooked(copy.module, hooks), torch.enable_grad():
            step, _state = next(steps)
        yield step.number, copy


def relearnt(
    model: LanguageModel,
    hooks: Hooks,
    records: Sequence[Record],
    seed: int,
    schedule: Schedule = _SCHEDULE,
) -> LanguageModel:
    """The copy at the end; raises what `relearning` does."""
    *_, (_, copy) = relearning(model, hooks, records, schedule, seed)
    copy.module.requires_grad_(False)
    return copy


def _extracted(trial: Trial) -> RateTable | None:
    exam = trial.exam
    again, others = taught_and_asked(exam)
    if not others:  # one subject: nobody is left who could be asked for
        return None
    copy = relearnt(trial.model, trial.hooks, again, exam.seed)
    return extraction_by_kind(exam.of(others).verdicts(copy, trial.hooks))


RELEARNT = Metric(
    name="relearnt",
    title="relearnt, %",
    meaning="Other subjects' spans extracted after a tenth is taught again.",
    unit="share",
    better="lower",
    measure=_extracted,
    needs=("causal",),
)
