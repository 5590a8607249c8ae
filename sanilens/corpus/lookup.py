"""Whose is a name or a number? Looked up in memory; the answer holds ids and labels, no text."""

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sanilens.corpus.records import Record
from sanilens.errors import CorpusError

# So many digits of a number tell whose it is; fewer are a day or an age.
_DIGITS = 4
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Person:
    """A subject that a query fits.

    Attributes:
        subject: whose records they are.
        records, spans: how many there are.
        labels: of the values that fit; empty where it is the subject's own id.
        whole: whether a value fits as a whole, not a word of it alone.
    """

    subject: str
    records: int
    spans: int
    labels: tuple[str, ...]
    whole: bool


def find_people(records: Sequence[Record], query: str) -> list[Person]:
    """Subjects with a sensitive value, or an id, that a name or number fits: whole ones first.

    Case, accents and blanks make no difference, nor what stands between the digits of a number. A
    name's words may stand in any order, and one word of a name fits all who bear it.
    """
    asked = _words(query[:_LONGEST])
    if not asked:
        return []
    digits = "".join(char for char in query if char.isdecimal())
    hits: dict[str, set[tuple[str, bool]]] = defaultdict(set)
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for record in records:
        counts[record.subject][0] += 1
        counts[record.subject][1] += len(record.spans)
        if _words(record.subject) == asked:
            hits[record.subject].add(("", True))
        for span in record.spans:
            value = record.value(span)
            own = _words(value)
            if _same_number(digits, value) or sorted(own) == sorted(asked):
                hits[record.subject].add((span.label, True))
            elif set(asked) <= set(own):
                hits[record.subject].add((span.label, False))
    found = [
        Person(
            subject,
            counts[subject][0],
            counts[subject][1],
            tuple(sorted({label for label, _ in own if label})),
            any(whole for _, whole in own),
        )
        for subject, own in hits.items()
        if counts[subject][1]
    ]
    return sorted(found, key=lambda person: (not person.whole, person.subject))


def subject_named(records: Sequence[Record], given: str) -> str:
    """The subject whom a person means: an id of the corpus as it is, or the one who bears a name.

    What fits nobody is given back: whoever needs the subject says so.

    Raises:
        CorpusError: if a name or number is that of several people.
    """
    if any(record.subject == given for record in records):
        return given
    fitting = [person.subject for person in find_people(records, given) if person.whole]
    if len(fitting) > 1:
        raise CorpusError(
            f"{len(fitting)} people bear that name or number: {', '.join(fitting[:8])}. Give the "
            "id of the one who is meant."
        )
    return fitting[0] if fitting else given


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = (char if char.isalnum() else " " for char in plain if not unicodedata.combining(char))
    return "".join(kept).split()


def _same_number(digits: str, value: str) -> bool:
    return len(digits) >= _DIGITS and digits == "".join(c for c in value if c.isdecimal())
