"""Opening a model together with the corpus that tells how it reads."""

from collections.abc import Sequence

from sanilens.commands.common import say
from sanilens.corpus.records import Record
from sanilens.model.subject import SubjectModel
from sanilens.runs.sources import open_read


def open_subject(model: str, records: Sequence[Record]) -> SubjectModel:
    """Load a model that reads texts as it was trained to; say so where its tokenizer does not."""
    subject, opening = open_read(model, records)
    if opening.changed:
        say(opening.sentence)
    return subject
