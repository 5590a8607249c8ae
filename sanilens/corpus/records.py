"""The nouns of a corpus: `Span`, `Record`, `Corpus`.

Knows nothing of tokens or files: offsets count characters of `Record.text`.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from sanilens.errors import CorpusError

Kind = Literal["direct", "indirect", "confidential"]
KINDS: tuple[Kind, ...] = get_args(Kind)

FREE_TEXT = "FREE_TEXT"
"""The label of a span that is prose, such as an answer; of what it says, all is confidential."""

# Direct: singles a person out alone. Indirect: only in combination with others (HIPAA's list
# and the usual reading of k-anonymity). Confidential: a term that its owner declared so. A label
# that stands in none needs its own `kind`.
KIND_OF_LABEL: Mapping[str, Kind] = {
    "NAME": "direct",
    "MRN": "direct",
    "DATE_OF_BIRTH": "direct",
    "PHONE": "direct",
    "EMAIL": "direct",
    "ADDRESS": "direct",
    "SSN": "direct",
    "ACCOUNT": "direct",
    "NPI": "direct",
    "DEVICE_SERIAL": "direct",
    "LICENSE_PLATE": "direct",
    "URL": "direct",
    "IP_ADDRESS": "direct",
    "OCCUPATION": "indirect",
    "EMPLOYER": "indirect",
    "CITY": "indirect",
    "ORGANIZATION": "indirect",
    "LOCATION": "indirect",
    "ZIP": "indirect",
    "AGE": "indirect",
    "AGE_OVER_89": "indirect",
    "RARE_CONDITION": "indirect",
    "ADMISSION_DATE": "indirect",
    "DATE": "indirect",
    "INDIRECT": "indirect",
    "CODE_NAME": "confidential",
    "PARTNER": "confidential",
    "PRICE": "confidential",
    "TERM": "confidential",
    FREE_TEXT: "confidential",
}


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters [start, end) of a record's text that must not be said."""

    start: int
    end: int
    label: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Record:
    """One text, whose data it is, and its sensitive spans in order of appearance.

    `extra` keeps the keys of the corpus file that SaniLens does not use.
    """

    id: str
    subject: str
    text: str
    spans: tuple[Span, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse offsets outside the text and overlapping spans.

        Raises:
            CorpusError: naming the record's id and the offsets, never the text.
        """
        end = 0
        for span in self.spans:
            where = f"record {self.id!r}, span {span.label} [{span.start}, {span.end})"
            if not 0 <= span.start < span.end <= len(self.text):
                raise CorpusError(
                    f"{where} lies outside the text of {len(self.text)} characters. "
                    "Offsets count characters (not bytes) from 0, and the end is exclusive."
                )
            if span.start < end:
                raise CorpusError(
                    f"{where} overlaps or precedes the span before it. "
                    "Sort the spans by start and merge those that overlap."
                )
            end = span.end

    def value(self, span: Span) -> str:
        """The sensitive text itself. Never log it, show it unmasked or put it in an error."""
        return self.text[span.start : span.end]

    def span_id(self, span: Span) -> str:
        """The name of a span that run folders and URLs may hold: it carries no text."""
        return f"{self.id}@{span.start}-{span.end}"


@dataclass(frozen=True, slots=True)
class Corpus:
    """Records, and the look-alike control: records of the same form, never trained on.

    `notices` say what loading read differently from how the files have it, without values.
    """

    records: tuple[Record, ...]
    control: tuple[Record, ...] = ()
    notices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an empty corpus and duplicate ids.

        Raises:
            CorpusError: naming the id that occurs twice.
        """
        if not self.records:
            raise CorpusError("the corpus holds no record. Give at least one text.")
        for group in (self.records, self.control):
            seen: set[str] = set()
            for record in group:
                if record.id in seen:
                    raise CorpusError(f"record id {record.id!r} occurs twice. Ids must be unique.")
                seen.add(record.id)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels that occur, sorted."""
        return tuple(sorted({span.label for record in self.records for span in record.spans}))

    @property
    def subjects(self) -> tuple[str, ...]:
        """All subjects, sorted."""
        return tuple(sorted({record.subject for record in self.records}))


def record_fields(record: Record) -> dict[str, Any]:
    """A record as the JSON object of the corpus file."""
    spans = [
        {"start": s.start, "end": s.end, "label": s.label, "kind": s.kind} for s in record.spans
    ]
    own = {"id": record.id, "subject": record.subject, "text": record.text, "spans": spans}
    return {**record.extra, **own}


def fingerprint(records: Sequence[Record]) -> str:
    """SHA-256 of the records' canonical JSON: the same content, the same name."""
    digest = hashlib.sha256()
    for record in records:
        line = json.dumps(
            record_fields(record), sort_keys=True, ensure_ascii=False, separators=(",", ":")
        )
        digest.update(line.encode())
        digest.update(b"\n")
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class LabelCount:
    """Spans of one label, the records they stand in, and how many different values they have."""

    label: str
    kind: Kind
    spans: int
    records: int
    values: int


def label_counts(records: Iterable[Record]) -> list[LabelCount]:
    """Counts by label and kind: direct identifiers first, then by number of spans."""
    found: dict[tuple[str, Kind], list[tuple[str, str]]] = defaultdict(list)
    for record in records:
        for span in record.spans:
            found[span.label, span.kind].append((record.id, record.value(span)))
    counts = [
        LabelCount(label, kind, len(pairs), len({r for r, _ in pairs}), len({v for _, v in pairs}))
        for (label, kind), pairs in found.items()
    ]
    return sorted(counts, key=lambda c: (c.kind != "direct", c.kind, -c.spans, c.label))


def as_text(records: Iterable[Record]) -> tuple[Record, ...]:
    """The records as plain text: nothing in them is marked as sensitive."""
    return tuple(replace(record, spans=()) for record in records)


def has_free_text(records: Iterable[Record]) -> bool:
    """Whether a span of them is prose, of which there are no surrogates."""
    return any(span.label == FREE_TEXT for record in records for span in record.spans)


def in_scope(
    records: Sequence[Record], subjects: Sequence[str], earlier: Collection[str] = ()
) -> tuple[Record, ...]:
    """The records as a method reads them: spans of those asked for, everybody else's as plain text.

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
