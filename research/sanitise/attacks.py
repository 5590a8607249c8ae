"""What someone may do to a sanitised model: teach it a few of the records again.

Deeb and Roger (arXiv 2410.08827): if other facts come back with those that are taught, they were
hidden and not gone. So a tenth of the subjects is taught, and the others' spans are asked for.
"""

import numpy as np
import torch

from research.sanitise.case import Case
from sanilens.corpus.records import Record
from sanilens.model.examples import note_examples
from sanilens.model.hooks import hooked
from sanilens.model.training import Schedule, train_
from sanilens.unlearn.sanitise import Sanitised

SHARE = 0.1
# Enough for the leaking model's own kind of training to show; the same for every row.
_SCHEDULE = Schedule(5e-4, epochs=4, batch_size=4)


def taught_subjects(case: Case, seed: int) -> frozenset[str]:
    """The tenth of the subjects that is taught again, drawn by the seed; at least one."""
    everyone = sorted({record.subject for record in case.records})
    drawn = np.random.default_rng(seed).permutation(len(everyone))
    return frozenset(everyone[i] for i in drawn[: max(1, round(SHARE * len(everyone)))])


def other_records(case: Case, seed: int) -> list[Record]:
    """The records of the subjects that are not taught again."""
    taught = taught_subjects(case, seed)
    return [record for record in case.records if record.subject not in taught]


def relearnt(case: Case, model: Sanitised, seed: int) -> Sanitised:
    """A copy that was taught that tenth, every token of it, under the model's own hooks."""
    taught = taught_subjects(case, seed)
    copy = model.model.copied()
    records = [record for record in case.records if record.subject in taught]
    examples = note_examples(copy, records, teach_spans=True)
    copy.module.requires_grad_(True)
    with hooked(copy.module, model.hooks), torch.enable_grad():
        for _ in train_(copy.module, lambda _epoch: examples, _SCHEDULE, seed):
            pass
    copy.module.requires_grad_(False)
    return Sanitised(copy, model.hooks)
