"""A blacklist: a plain list of terms that must not be said, and the spans it marks in a text.

The file is plain text, one term a line; blank lines and lines that begin with `# ` are skipped. A
label may follow after a tab, `Amber Heron<TAB>CODE_NAME`; without one it is TERM.
Terms are found as `gazetteer` finds phrases: in any case, whatever separates their words, and
never inside a longer word or number.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sanilens.atomic import write_text
from sanilens.corpus import limits
from sanilens.corpus.detection.gazetteer import Entry, Gazetteer, folded_words
from sanilens.corpus.formats.rows import decoded_lines, mistake
from sanilens.corpus.records import KIND_OF_LABEL, Kind, Record, Span
from sanilens.errors import CorpusError

_LABEL = re.compile(r"[A-Z][A-Z0-9_]{0,39}")
# A term's letters and digits, between the signs that it begins and ends with: "C++".
_CORE = re.compile(r"([\W_]*)(.*?)([\W_]*)", re.DOTALL)
# A number this long is known by its digits, however they are grouped: 4318572 is 4,318,572.
_LONG_NUMBER = 5
_REMEDY = "Write one term a line, and its label, if any, after a tab, in capitals."
# Where spans overlap, they become one, of the strictest kind.
_STRICTNESS: dict[Kind, int] = {"direct": 2, "confidential": 1, "indirect": 0}


@dataclass(frozen=True, slots=True, order=True)
class Term:
    """A text that must not be said, and what it is."""

    text: str
    label: str = "TERM"
    kind: Kind = "confidential"


class Terms:
    """A list of terms, ready to be found in texts.

    Raises:
        CorpusError: the list is empty or too long, or a term holds no letter or digit or too many.
    """

    def __init__(self, terms: Iterable[Term]) -> None:
        self._gazetteer = Gazetteer()
        # Terms that differ in case, accents or signs alone are one phrase: by its words, and then
        # by the signs that must stand before and after it.
        self._of: dict[str, dict[tuple[str, str], Term]] = {}
        self._texts: set[str] = set()
        for term in terms:
            if not any(character.isalnum() for character in term.text):
                raise CorpusError("a term has no letter or digit. Remove it from the list.")
            if term.text in self._texts:
                continue  # listed twice: the first label counts
            self._texts.add(term.text)
            if len(self._texts) > limits.TERMS:
                raise CorpusError(f"the list has more than {limits.TERMS:,} terms. Split it.")
            self._add(term)
        if not self._of:
            raise CorpusError("the list holds no term. Write one term a line.")

    def _add(self, term: Term) -> None:
        phrase = " ".join(folded_words(term.text))
        if phrase not in self._of:
            entry = Entry(term.label, subject=phrase)  # the hit then names its phrase
            self._gazetteer.add_phrase(term.text, entry)
            digits = sum(character.isdigit() for character in term.text)
            if digits >= _LONG_NUMBER and not any(c.isalpha() for c in term.text):
                self._gazetteer.add_number(term.text, entry)
        self._of.setdefault(phrase, {}).setdefault(_signs(term.text), term)

    def __len__(self) -> int:
        return len(self._texts)

    def find(self, text: str) -> list[Span]:
        """Every occurrence of every term, in order of their starts; they may overlap.

        Raises:
            CorpusError: more than `limits.MATCHES`, as of a list of single letters.
        """
        found, tried = [], 0
        for hit in self._gazetteer.find(text):
            for phrase in {entry.subject for entry in hit.entries}:
                terms = self._of[phrase]
                tried += len(terms)
                if tried > limits.MATCHES:
                    raise CorpusError(
                        f"the terms occur more than {limits.MATCHES:,} times in one text of "
                        f"{len(text):,} characters. Remove those that are everyday words."
                    )
                for (before, after), term in terms.items():
                    start, end = hit.start - len(before), hit.end + len(after)
                    if text[max(start, 0) : hit.start] == before and text[hit.end : end] == after:
                        found.append(Span(start, end, term.label, term.kind))
        return sorted(found)


def mark_terms(record: Record, terms: Terms) -> Record:
    """The record with the terms' spans beside its own.

    Overlapping spans become one that covers them all and takes the label of the strictest kind,
    the longest among these: no character of a term stays unmarked.
    """
    groups: list[list[Span]] = []
    end = 0
    for span in sorted((*record.spans, *terms.find(record.text))):
        if span.start < end:
            groups[-1].append(span)
        else:
            groups.append([span])
        end = max(end, span.end)
    return replace(record, spans=tuple(map(_merged, groups)))


def load_terms(path: Path) -> Terms:
    """The terms of a file.

    Raises:
        CorpusError: naming file, line and remedy, never the term.
    """
    if not path.is_file():
        raise mistake(path.name, "there is no such file", "Check the path.")
    if path.stat().st_size > limits.FILE_BYTES:
        what = f"the file has more than {limits.FILE_BYTES:,} bytes"
        raise mistake(path.name, what, "Split the list.")
    terms: list[Term] = []
    try:
        for number, line in decoded_lines(path):
            if line.strip() and not line.startswith("# "):
                terms.append(_term(line.rstrip("\r\n"), f"{path.name}, line {number}"))
            if len(terms) > limits.TERMS:
                raise mistake(path.name, f"more than {limits.TERMS:,} terms", "Split the list.")
    except OSError as error:
        what = f"cannot be read ({type(error).__name__})"
        raise mistake(path.name, what, "Check who may read it.") from None
    if not terms:
        raise mistake(path.name, "holds no term", _REMEDY)
    return Terms(terms)


def save_terms(terms: Iterable[tuple[str, str]], path: Path) -> None:
    """Write (text, label) pairs as a list that `load_terms` reads."""
    write_text(path, "".join(f"{text}\t{label}\n" for text, label in terms))


def _term(line: str, where: str) -> Term:
    text, tab, label = line.partition("\t")
    text, label = text.strip(), label.strip()
    if tab and not _LABEL.fullmatch(label):
        raise mistake(where, "the label is not 1 to 40 capitals, digits and underscores", _REMEDY)
    if not any(character.isalnum() for character in text):
        raise mistake(where, "the term has no letter or digit", "Remove the line.")
    if len(text) > limits.TERM or len(folded_words(text)) > limits.TERM_WORDS:
        raise mistake(
            where,
            f"the term has more than {limits.TERM} characters or {limits.TERM_WORDS} words",
            "Write one term a line, a short one.",
        )
    if not tab:
        return Term(text)
    return Term(text, label, KIND_OF_LABEL.get(label, "confidential"))


def _signs(text: str) -> tuple[str, str]:
    """What stands before a term's first letter or digit and after its last."""
    found = _CORE.fullmatch(text)
    return (found[1], found[3]) if found else ("", "")


def _merged(spans: Sequence[Span]) -> Span:
    best = max(spans, key=lambda span: (_STRICTNESS[span.kind], span.end - span.start))
    end = max(span.end for span in spans)
    return Span(spans[0].start, end, best.label, best.kind)
