"""How far found indirect identifiers agree with those that a corpus has labelled."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sanilens.corpus.indirect import TermSettings, free_of, occurrences
from sanilens.corpus.occupied import Occupied
from sanilens.corpus.records import Record, Span


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
