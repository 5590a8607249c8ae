"""SANI's repair: sensitive tokens stay as context and are never a target.

    L = -(1/|K|) sum_{t in K} log p(x_t | x_<t),   K = { t : x_t in no span }

Boutet and Magnana, arXiv 2510.21322, for causal models; the paper's erasure is unlearn/sani.py.
"""

from sanilens.unlearn.methods.examples import note_examples
from sanilens.unlearn.methods.method import Method, Options, Prepared, Task


def prepare(task: Task, options: Options) -> Prepared:
    """The notes as they are, every epoch."""
    notes = note_examples(task.subject, task.records)
    return Prepared(lambda _epoch: notes)


MASKED = Method(
    "masked",
    "Masked (SANI)",
    "Trains on the notes, but never on a sensitive token (SANI). It can bring back part of what "
    "the edits erased.",
    prepare,
    family="SANI",
)
