"""The notes with other people's details: alike in form, and to be kept."""

from collections.abc import Sequence

from sanilens.corpus.surrogates import substitute
from sanilens.unlearn.methods.examples import note_examples
from sanilens.unlearn.methods.method import Task
from sanilens.unlearn.training import Example


def lookalike_examples(task: Task, notes: Sequence[Example], epoch: int) -> list[Example]:
    """The notes with an epoch's surrogates: all of it is kept, from where it first differs.

    What stands before the first surrogate is the true note itself, which says what to do there.
    """
    fresh = substitute(task.records, seed=task.seed * 1_000_003 + epoch)
    own = [len(note_examples(task.subject, [record])) for record in task.records]
    changed = [
        example
        for record, count in zip(fresh, own, strict=True)
        for example in note_examples(task.subject, [record], pieces=count)
    ]
    return [kept(e, _parting(e.ids, n.ids) + 1) for e, n in zip(changed, notes, strict=True)]


def _parting(one: Sequence[int], other: Sequence[int]) -> int:
    """The first place where two texts differ."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def kept(example: Example, start: int = 0) -> Example:
    """A text to be kept from token `start` on: these are its taught tokens.

    Identifiers among them stay marked as such.
    """
    places = range(len(example.ids))
    sensitive = tuple(i >= start and own for i, own in enumerate(example.sensitive))
    return Example(example.ids, tuple(i >= start for i in places), sensitive)
