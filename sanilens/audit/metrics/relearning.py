"""Relearning: what comes back when somebody teaches a sanitised model a few of the records again.

Deeb and Roger (arXiv 2410.08827): if other facts come back with those that are taught, they were
hidden and not gone. So a tenth of the subjects is taught, and the others' spans are asked for.
"""

from collections.abc import Sequence

import numpy as np
import torch

from sanilens.audit.metrics.metric import Metric, Trial
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


def relearnt(
    model: LanguageModel, hooks: Hooks, records: Sequence[Record], seed: int
) -> LanguageModel:
    """A copy that was taught all tokens of some records, under the hooks that it is read with."""
    copy = model.copied()
    examples = note_examples(copy, records, teach_spans=True)
    copy.module.requires_grad_(True)
    with hooked(copy.module, hooks), torch.enable_grad():
        for _ in train_(copy.module, lambda _epoch: examples, _SCHEDULE, seed):
            pass
    copy.module.requires_grad_(False)
    return copy


def _extracted(trial: Trial) -> RateTable | None:
    exam = trial.exam
    taught = taught_subjects(exam.records, exam.seed)
    again = [record for record in exam.records if record.subject in taught]
    others = [record for record in exam.records if record.subject not in taught]
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
