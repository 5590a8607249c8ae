"""SANI's repair: sensitive tokens stay as context and are never a target.

    causal   L = -(1/|K|) sum_{t in K} log p(x_t | x_<t),           K = { t : x_t in no span }
    masked   L = -(1/|M|) sum_{i in M} log p(x_i | x without M),    M drawn from K

Boutet and Magnana, arXiv 2510.21322, for both kinds of language model; how M is drawn is in
methods/examples.py, the paper's erasure in unlearn/choose.py. What the paper leaves open is ours: a
token is sensitive where it stands in a span, not wherever it occurs, and gaps are 15 %.
"""

from sanilens.model.examples import note_examples
from sanilens.unlearn.methods.examples import in_gaps
from sanilens.unlearn.methods.method import GapOptions, Method, Prepared, Task


def prepare(task: Task, options: GapOptions) -> Prepared:
    """The notes as they are, every epoch."""
    notes = note_examples(task.model, task.records)
    return Prepared(lambda _epoch: notes)


MASKED = Method(
    "masked",
    "Masked (SANI)",
    "Trains on the corpus, but never on a sensitive token (SANI). It can bring back part of what "
    "the edits erased.",
    prepare,
    GapOptions,
    family="Erase and repair",
    prepare_gaps=in_gaps(prepare),
)
