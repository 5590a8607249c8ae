"""A model, and the corpus that tells how it reads."""

from collections.abc import Sequence

from sanilens.audit.opening import find_opening
from sanilens.commands.common import say
from sanilens.corpus.records import Record
from sanilens.model.subject import SubjectModel


def as_trained(subject: SubjectModel, records: Sequence[Record]) -> SubjectModel:
    """The model, reading texts as it was trained to; says so where its tokenizer does not."""
    opening = find_opening(subject, records)
    if opening.changed:
        say(opening.sentence)
    return opening.of(subject)
