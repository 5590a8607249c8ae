"""Whose details are to be forgotten: the spans of some subjects, and everyone else's as plain text.

A method teaches what lies in no span. So dropping the spans of all others is all it takes for
their details to be text that must stay.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from sanilens.corpus.records import Record
from sanilens.errors import CorpusError


def in_scope(
    records: Sequence[Record], subjects: Sequence[str], earlier: Collection[str] = ()
) -> tuple[Record, ...]:
    """The records as a method is to read them.

    Args:
        records: the corpus.
        subjects: whose spans are to be forgotten; none: everyone's, and nothing changes.
        earlier: subjects who were deleted before. Their records are left out: as text to keep they
            would be taught again.

    Raises:
        CorpusError: if a subject has no span here. It gives the subject's place in the list, since
            a subject's id may itself name a person.
    """
    if not subjects:
        return tuple(records)
    found = {record.subject for record in records if record.spans}
    missing = next((n for n, name in enumerate(subjects, 1) if name not in found), None)
    if missing is not None:
        raise CorpusError(
            f"the corpus has no sensitive span of subject {missing} of the {len(subjects)} asked "
            "for (in order of name). Subjects are spelt as in the corpus file's `subject`."
        )
    asked, gone = frozenset(subjects), frozenset(earlier) - frozenset(subjects)
    return tuple(
        record if record.subject in asked else replace(record, spans=())
        for record in records
        if record.subject not in gone
    )
