"""How many spans of each label a corpus holds."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sanilens.corpus.records import Kind, Record


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
