"""`PatientTable`: whose names and numbers to look for, from a table the user has.

Free text names people in ways no pattern finds; the hospital's own table does. Its columns:
`subject` or `patient_id`, and any of name, mrn, phone, email, address, date_of_birth or another
label in any case, or another tool's word for one. Free text is no label of a table: it is nothing
to look for. A first name and a last name in columns of their own are one name. A subject may have
several rows; an empty cell says nothing.
"""

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sanilens.corpus import limits
from sanilens.corpus.annotations import own_label
from sanilens.corpus.columns import plain_name, subject_of_row
from sanilens.corpus.detection.gazetteer import Entry, Gazetteer, Hit, folded_words
from sanilens.corpus.detection.words import MOSTLY_WORDS, PLAIN_TITLES
from sanilens.corpus.formats import Row, read_rows
from sanilens.corpus.formats.rows import mistake
from sanilens.corpus.records import FREE_TEXT, KIND_OF_LABEL, Span
from sanilens.corpus.remarks import Remarks
from sanilens.corpus.surrogates.dates import TEMPLATES, write_date

_LABELS = tuple(label for label in KIND_OF_LABEL if label != FREE_TEXT)
# Labels whose separators do not matter.
_NUMBERS = frozenset(
    {"MRN", "PHONE", "SSN", "ACCOUNT", "NPI", "DEVICE_SERIAL", "LICENSE_PLATE", "ZIP"}
)
_DATES = frozenset({"DATE_OF_BIRTH", "ADMISSION_DATE", "DATE"})
# A birth date is a known value as a whole only: "14 March" alone is anyone's.
_WHOLE_DATES = tuple(form for form in TEMPLATES if "D" in form and "YY" in form)
# First and last names in columns of their own, as `plain_name` has their headers.
_PARTS = (("firstname", "givenname", "forename"), ("lastname", "surname", "familyname"))
_LONGEST_VALUE = 200
_SHORTEST_NUMBER = 4
_SHORTEST_NAME = 3


@dataclass(frozen=True, slots=True)
class TableHit:
    """A span of a text that equals an identifier in the table, and the subjects who have it."""

    span: Span
    subjects: frozenset[str]


class PatientTable:
    """The identifiers of known subjects, ready to be found in a text."""

    def __init__(self, identifiers: Iterable[tuple[str, str, str]]) -> None:
        """Take (subject, label, value) triples; dates are written as YYYY-MM-DD."""
        self._gazetteer = Gazetteer()
        for subject, label, value in identifiers:
            _add(self._gazetteer, subject, label, value)

    def find(self, text: str) -> tuple[TableHit, ...]:
        """Identifiers of the table in a text, sorted, the longer of two that overlap."""
        hits: list[TableHit] = []
        end = 0
        # In order of start, the longest first; what begins inside a taken hit is part of it.
        for hit in sorted(self._gazetteer.find(text, longest=True), key=lambda hit: hit.start):
            if hit.start >= end:
                hits.append(_table_hit(hit))
                end = hit.end
        return tuple(hits)

    def subject_of(self, text: str) -> str | None:
        """The one subject whose identifiers a text holds; None if there is none or several.

        What two subjects share, such as a first name, points at neither.
        """
        sure = {s for hit in self.find(text) if len(hit.subjects) == 1 for s in hit.subjects}
        return sure.pop() if len(sure) == 1 else None


def load_patient_table(path: Path) -> PatientTable:
    """Read a patient table from CSV, JSON Lines or Parquet.

    Raises:
        CorpusError: naming file, row and remedy, never a value.
    """
    remarks = Remarks(path.name)
    found = [item for row in read_rows(path) for item in _identifiers(row, remarks)]
    remarks.tell()
    return PatientTable(found)


def _identifiers(row: Row, remarks: Remarks) -> list[tuple[str, str, str]]:
    """The (subject, label, value) triples of one row.

    Raises:
        CorpusError: no subject, no identifier, a column that is no label, or an unusable value.
    """
    column, subject = subject_of_row(row, remarks)
    if not (isinstance(subject, str) and subject.strip() and subject.isprintable()):
        raise mistake(
            row.where, "no usable `subject`", "Give each row a subject, as text, such as p-004."
        )
    if len(subject) > limits.NAME:
        raise mistake(row.where, f"a subject of over {limits.NAME} characters", "Shorten it.")
    given = {k: value for k, value in row.fields.items() if k != column and value not in (None, "")}
    found = [
        (subject, label, _value(row, label, value))
        for label, value in _by_label(row, given, remarks)
    ]
    if not found:
        raise mistake(row.where, "the row has no identifier", "Add a name or a number, or drop it.")
    return found


def _by_label(row: Row, given: dict[str, Any], remarks: Remarks) -> Iterator[tuple[str, Any]]:
    """The labels that the columns' headers name, each with its cell."""
    names = {plain_name(column): column for column in given}
    first, last = (next((names[n] for n in known if n in names), None) for known in _PARTS)
    if first and last and isinstance(given[first], str) and isinstance(given[last], str):
        remarks.note("first and last names are read as one name", row.where)
        yield "NAME", f"{given[first].strip()} {given[last].strip()}"
        given = {column: value for column, value in given.items() if column not in (first, last)}
    for column, value in given.items():
        label = own_label(column.strip(" \t\ufeff")) or ""
        if label not in _LABELS:
            known = ", ".join(label.lower() for label in _LABELS)
            raise mistake(
                row.where,
                "a column's header is no label",
                f"Remove the column or rename it to one of: subject, {known}.",
            )
        if plain_name(column) != plain_name(label):
            remarks.note(f"a column is read as {label.lower()}", row.where)
        yield label, value


def _value(row: Row, label: str, value: Any) -> str:
    """A cell as text, refused where it would match by accident or not at all."""
    place = f"{row.where}, column {label.lower()}"
    if not isinstance(value, str):
        raise mistake(place, "not text", "Write it as text, so that leading zeros are kept.")
    length = sum(character.isalnum() for character in value)
    if length == 0:
        raise mistake(place, "neither a letter nor a digit", "Correct the cell or leave it empty.")
    if len(value) > _LONGEST_VALUE:
        raise mistake(
            place, f"longer than {_LONGEST_VALUE} characters", "Give one identifier a cell."
        )
    if len(folded_words(value)) > limits.TERM_WORDS or (
        label in _NUMBERS and length > limits.TERM_WORDS
    ):
        what = f"more than {limits.TERM_WORDS} words, or characters of a number"
        raise mistake(place, what, "Give one identifier a cell.")
    if label in _NUMBERS and length < _SHORTEST_NUMBER:
        raise mistake(
            place,
            f"fewer than {_SHORTEST_NUMBER} characters, which other numbers match by accident",
            "Give the whole number or leave the cell empty.",
        )
    if label in _DATES:
        try:
            date.fromisoformat(value.strip())
        except ValueError:
            raise mistake(place, "not a date", "Write dates as YYYY-MM-DD.") from None
    return value.strip()


def _add(gazetteer: Gazetteer, subject: str, label: str, value: str) -> None:
    """Register a value in every way a note may write it."""
    entry = Entry(label, subject)
    if label == "NAME":
        _add_name(gazetteer, value, entry)
    elif label in _DATES:
        for written in _written(value):
            gazetteer.add_phrase(written, entry)
    elif label in _NUMBERS:
        gazetteer.add_number(value, entry)
        if label == "PHONE":
            _add_phone(gazetteer, value, entry)
    else:
        gazetteer.add_phrase(value, entry)


@functools.lru_cache(maxsize=4096)  # patients share birthdays
def _written(day: str) -> tuple[str, ...]:
    """A date in every form that notes write it in."""
    return tuple({write_date(date.fromisoformat(day), template): None for template in _WHOLE_DATES})


def _add_name(gazetteer: Gazetteer, name: str, entry: Entry) -> None:
    """Register "First Last", "Last, First", and first and last name alone if long enough."""
    last, comma, first = name.partition(",")
    words = f"{first} {last}".split() if comma else name.split()
    words = [word for word in words if word.rstrip(".").casefold() not in PLAIN_TITLES] or words
    if len(words) > 1:
        first_word, last_word = words[0], words[-1]
        last_first = ([*words[1:], first_word], [last_word, *words[:-1]], [last_word, first_word])
        for order in (words, [first_word, last_word], *last_first):
            gazetteer.add_phrase(" ".join(order), entry)
    elif len(words[0]) < _SHORTEST_NAME:
        gazetteer.add_phrase(words[0], Entry(entry.label, entry.subject, capital=True))
    for word in {words[0], words[-1]}:
        if sum(character.isalpha() for character in word) >= _SHORTEST_NAME:
            everyday = word.casefold() in MOSTLY_WORDS
            gazetteer.add_phrase(word, Entry(entry.label, entry.subject, capital=everyday))


def _add_phone(gazetteer: Gazetteer, value: str, entry: Entry) -> None:
    """Register a North American number with its country code and without."""
    digits = "".join(character for character in value if character.isdigit())
    if len(digits) == 10:
        gazetteer.add_number(f"1{digits}", entry)
    elif len(digits) == 11 and digits[0] == "1":
        gazetteer.add_number(digits[1:], entry)


def _table_hit(hit: Hit) -> TableHit:
    """A hit under its most specific label: direct kinds first, in the order of `KIND_OF_LABEL`."""
    order = list(KIND_OF_LABEL)
    label = min((entry.label for entry in hit.entries), key=order.index)
    span = Span(hit.start, hit.end, label, KIND_OF_LABEL[label])
    return TableHit(span, frozenset(e.subject for e in hit.entries if e.label == label))
