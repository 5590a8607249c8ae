"""Ids that tell who somebody is are replaced as a corpus is read.

Ids stand in run folders, logs, addresses and reports, so an id may be no name or number of anybody.
One that holds a direct or confidential value of the corpus, a word of a name or a number of five
digits, becomes `person-3fa9-001`: by order of appearance, after four digits of the first text's
SHA-256, so that the same file gives the same ids, and another file others.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace

from sanilens.corpus.records import Record

_LEAST_LETTERS, _LEAST_DIGITS, _MOST_WORDS = 4, 5, 12


def without_telling_ids(records: Sequence[Record]) -> tuple[tuple[Record, ...], int]:
    """The records under ids that tell nothing, and how many ids were replaced."""
    telling = _Telling(records)
    mark = hashlib.sha256(records[0].text.encode()).hexdigest()[:4] if records else ""
    new: dict[str, dict[str, str]] = {}
    for kind, names in (
        ("person", (record.subject for record in records)),
        ("record", (record.id for record in records)),
    ):
        own = enumerate(dict.fromkeys(names), start=1)
        new[kind] = {
            name: f"{kind}-{mark}-{number:03d}" for number, name in own if telling.of(name)
        }
    if not any(new.values()):
        return tuple(records), 0
    persons, ids = new["person"], new["record"]
    made = (
        replace(r, id=ids.get(r.id, r.id), subject=persons.get(r.subject, r.subject))
        for r in records
    )
    return tuple(made), len(persons) + len(ids)


class _Telling:
    """What the corpus marks as telling who somebody is, folded."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._values: set[tuple[str, ...]] = set()
        self._names: set[str] = set()
        self._numbers: set[str] = set()
        for record in records:
            for span in record.spans:
                if span.kind == "indirect":
                    continue
                words = _words(record.value(span))
                if sum(map(len, words)) >= _LEAST_LETTERS:
                    self._values.add(words)
                if span.label == "NAME":
                    self._names |= {w for w in words if w.isalpha() and len(w) >= _LEAST_LETTERS}
                if len(digits := _digits(record.value(span))) >= _LEAST_DIGITS:
                    self._numbers.add(digits)

    def of(self, name: str) -> bool:
        """Whether an id holds such a value."""
        words = _words(name)[:_MOST_WORDS]
        parts = (words[i:j] for i in range(len(words)) for j in range(i + 1, len(words) + 1))
        return (
            any(part in self._values for part in parts)
            or not self._names.isdisjoint(words)
            or any(number in self._numbers for number in re.findall(r"\d+", name))
            or _digits(name) in self._numbers
        )


def _words(text: str) -> tuple[str, ...]:
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = (c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return tuple("".join(kept).split())


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdecimal())
