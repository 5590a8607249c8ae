"""Indirect identifiers by k-anonymity of the graph of subjects and terms.

The graph is bipartite: a term is tied to the subjects in whose records it stands,

    S(t) = { s : t occurs in a record of s },    t is indirect  <=>  |S(t)| < k,

so that whoever knows a term of fewer than k subjects (k = 2: of one) has singled them out. Our
reading of the term discovery that SANI builds on (Boutet & Magnana, 2501.02407); subjects are
counted, not records. Terms are values of labelled spans, entries of a gazetteer, or the words of
the text, alone or in runs; direct identifiers need no such analysis and are left out.
"""

import functools
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sanilens.corpus.corrections import with_spans
from sanilens.corpus.detection.gazetteer import fold
from sanilens.corpus.occupied import Occupied
from sanilens.corpus.records import Record, Span
from sanilens.corpus.terms import Terms
from sanilens.errors import CorpusError
from sanilens.extras import needs

LABEL = "INDIRECT"
LONGEST_RUN = 5

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SHORTEST_WORD = 3
# Words of a run may be parted by white space alone: a comma or a full stop ends a noun phrase.
_GAP = re.compile(r"[ \t]*\n?[ \t]*")


@dataclass(frozen=True, slots=True)
class TermSettings:
    """What counts as a term, and as indirect.

    Attributes:
        k: a term tied to fewer subjects than this is indirect.
        labels: the values of spans with these labels are terms.
        gazetteer: a list whose entries are terms, such as a medical vocabulary.
        words: runs of up to so many content words (no stop-word, 3 letters or more) are terms,
            up to 5; 0 for none.
        records: a term that stands in fewer records than this is never indirect: one that
            recurs is a trait of its subject, one that does not may be chance.
    """

    k: int = 2
    labels: tuple[str, ...] = ()
    gazetteer: Terms | None = None
    words: int = 1
    records: int = 1

    def __post_init__(self) -> None:
        """Refuse settings that find nothing.

        Raises:
            CorpusError: naming the setting and its bounds.
        """
        if self.k < 1 or self.records < 1:
            raise CorpusError("k and the least number of records must be 1 or more.")
        if not 0 <= self.words <= LONGEST_RUN:
            raise CorpusError(f"runs of words may have 0 to {LONGEST_RUN} words.")
        if not (self.labels or self.gazetteer or self.words):
            raise CorpusError("nothing is a term: give labels, a gazetteer or words.")


@dataclass(frozen=True, slots=True)
class TermRow:
    """One term of the graph.

    Attributes:
        term: as it is first written in the corpus.
        key: without case and accents; what makes two spellings one term.
        sources: where it comes from: labels, `gazetteer`, `words`.
        subjects: |S(t)|, how many subjects it is tied to.
        records: how many records it stands in.
        occurrences: how often it stands in the corpus.
        indirect: whether fewer than k subjects have it, in enough records.
    """

    term: str
    key: str
    sources: tuple[str, ...]
    subjects: int
    records: int
    occurrences: int
    indirect: bool


@dataclass(frozen=True, slots=True)
class _Found:
    """A term at characters [start, end) of a record."""

    start: int
    end: int
    key: str
    source: str


def subject_terms(records: Sequence[Record], settings: TermSettings) -> list[TermRow]:
    """The terms of the corpus: those of the fewest subjects first, then the most frequent."""
    written: dict[str, str] = {}
    sources: dict[str, set[str]] = defaultdict(set)
    subjects: dict[str, set[str]] = defaultdict(set)
    places: dict[str, set[tuple[str, int, int]]] = defaultdict(set)
    for record in records:
        for found in _terms(record, settings):
            written.setdefault(found.key, record.text[found.start : found.end])
            sources[found.key].add(found.source)
            subjects[found.key].add(record.subject)
            places[found.key].add((record.id, found.start, found.end))
    rows = []
    for key, term in written.items():
        tied, held = len(subjects[key]), len({name for name, _, _ in places[key]})
        indirect = tied < settings.k and held >= settings.records
        source = tuple(sorted(sources[key]))
        rows.append(TermRow(term, key, source, tied, held, len(places[key]), indirect))
    return sorted(rows, key=lambda row: (row.subjects, -row.records, -row.occurrences, row.key))


def mark_indirect(
    records: Iterable[Record], keys: Collection[str], settings: TermSettings
) -> tuple[tuple[Record, ...], int]:
    """The records with the chosen terms as spans labelled INDIRECT, and how many were marked.

    `keys` are `TermRow.key`s. Of overlapping terms the longest is marked; existing spans keep
    their places and labels.
    """
    chosen, marked, count = frozenset(keys), [], 0
    for record in records:
        kept = free_of(occurrences(record, chosen, settings), record.spans)
        marked.append(with_spans(record, (*record.spans, *kept)) if kept else record)
        count += len(kept)
    return tuple(marked), count


def occurrences(record: Record, keys: Collection[str], settings: TermSettings) -> list[Span]:
    """Where the terms of these keys stand in a record; they may overlap."""
    places = {(f.start, f.end) for f in _terms(record, settings) if f.key in keys}
    return [Span(start, end, LABEL, "indirect") for start, end in sorted(places)]


def free_of(new: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """The new spans, longest first, that overlap neither a taken span nor each other."""
    kept: list[Span] = []
    held = Occupied(taken)
    for span in sorted(new, key=lambda s: (s.start - s.end, s.start)):
        if held.free(span.start, span.end):
            kept.append(span)
            held.take(span.start, span.end)
    return kept


def _terms(record: Record, settings: TermSettings) -> Iterator[_Found]:
    """Every term of a record where it stands, outside its direct identifiers."""
    direct = Occupied(span for span in record.spans if span.kind == "direct")
    for span in record.spans:
        if span.label in settings.labels and span.kind != "direct":
            yield _Found(span.start, span.end, _key(record.value(span)), span.label)
    outside: list[tuple[int, int, str]] = []
    if settings.gazetteer:
        hits = settings.gazetteer.find(record.text)
        outside += [(span.start, span.end, "gazetteer") for span in hits]
    outside += [(start, end, "words") for start, end in _runs(record.text, settings.words)]
    for start, end, source in outside:
        if direct.free(start, end):
            yield _Found(start, end, _key(record.text[start:end]), source)


def _runs(text: str, longest: int) -> Iterator[tuple[int, int]]:
    """Runs of 1 to `longest` neighbouring content words."""
    run: list[tuple[int, int]] = []
    for match in _WORD.finditer(text) if longest else ():
        if not _is_content(match.group()):
            run = []
            continue
        if run and not _GAP.fullmatch(text, run[-1][1], match.start()):
            run = []
        run = [*run, match.span()][-longest:]
        yield from ((start, match.end()) for start, _ in run)


def _is_content(word: str) -> bool:
    return len(word) >= _SHORTEST_WORD and word.lower() not in _stop_words()


@functools.cache
def _stop_words() -> frozenset[str]:
    """spaCy's English list; only words are imported, no model."""
    with needs("detect"):
        from spacy.lang.en.stop_words import STOP_WORDS

    return frozenset(STOP_WORDS)


def _key(text: str) -> str:
    """Without case and accents; white space as one blank."""
    return " ".join(fold(text).split())


@dataclass(frozen=True, slots=True)
class Agreement:
    """Spans found by the analysis against spans labelled indirect; two agree if they overlap.

    Attributes:
        found, right: spans found, and how many of them overlap a labelled one.
        labelled, met: labelled spans, and how many of them a found one overlaps.
    """

    found: int
    right: int
    labelled: int
    met: int

    @property
    def precision(self) -> float | None:
        """Share of the found spans that are labelled; None where nothing was found."""
        return self.right / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """Share of the labelled spans that were found; None where none are labelled."""
        return self.met / self.labelled if self.labelled else None


def agreement(
    records: Sequence[Record],
    keys: Collection[str],
    settings: TermSettings,
    labels: Collection[str] | None = None,
) -> Agreement:
    """The terms of these keys as spans, held against the records' own indirect spans.

    Direct identifiers are left out on both sides. `labels` limits the labelled spans that recall
    counts; precision counts all of them.
    """
    found = right = labelled = met = 0
    for record in records:
        direct = [span for span in record.spans if span.kind == "direct"]
        known = [span for span in record.spans if span.kind == "indirect"]
        new = free_of(occurrences(record, keys, settings), direct)
        found += len(new)
        right += _meeting(new, known)
        counted = [span for span in known if labels is None or span.label in labels]
        labelled += len(counted)
        met += _meeting(counted, new)
    return Agreement(found, right, labelled, met)


def _meeting(spans: Sequence[Span], others: Sequence[Span]) -> int:
    """How many spans overlap one of the others."""
    taken = Occupied(others)
    return sum(not taken.free(span.start, span.end) for span in spans)
