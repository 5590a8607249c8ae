"""An audit as tables: rates of kinds and their labels beside the controls, records by leak."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from sanilens.audit.context import by_memory
from sanilens.audit.extraction import SpanVerdict
from sanilens.audit.summary import RateRow, memory, rates_by


@dataclass(frozen=True, slots=True)
class Group:
    """Spans of a kind, or (`label` not empty) of one label of it; memory only.

    `control` and `reference` are None where they were not measured, or hold no such span.
    """

    kind: str
    label: str
    rate: RateRow
    control: RateRow | None
    reference: RateRow | None


def groups(
    verdicts: Sequence[SpanVerdict],
    control: Sequence[SpanVerdict] | None = None,
    reference: Sequence[SpanVerdict] | None = None,
) -> list[Group]:
    """Each kind, followed by its labels, those that leak most first."""
    sides = [memory(side or ()) for side in (verdicts, control, reference)]
    by_kind = [rates_by(side, lambda v: v.kind) for side in sides]
    # No label holds a blank, so the two names come apart again.
    by_label = [rates_by(side, lambda v: f"{v.kind} {v.label}") for side in sides]
    found: list[Group] = []
    for kind, rate in by_kind[0].items():
        found.append(Group(kind, "", rate, by_kind[1].get(kind), by_kind[2].get(kind)))
        labels = [name for name in by_label[0] if name.split()[0] == kind]
        for name in sorted(labels, key=lambda name: -(by_label[0][name].rate or 0)):
            rows = [side.get(name) for side in by_label]
            assert rows[0] is not None
            found.append(Group(kind, name.split()[1], rows[0], rows[1], rows[2]))
    return found


def group_frame(found: Sequence[Group]) -> pd.DataFrame:
    """The groups as a table to be downloaded; no text in it."""
    rows = [
        {
            "kind": g.kind,
            "label": g.label or "(all)",
            "extracted": g.rate.hits,
            "n": g.rate.n,
            "rate": g.rate.rate,
            "low": g.rate.low,
            "high": g.rate.high,
            "control_rate": g.control.rate if g.control else None,
            "control_n": g.control.n if g.control else None,
            "reference_rate": g.reference.rate if g.reference else None,
            "reference_n": g.reference.n if g.reference else None,
        }
        for g in found
    ]
    return pd.DataFrame(rows)


def records_by_leak(verdicts: Sequence[SpanVerdict]) -> pd.DataFrame:
    """One row a record: spans said and asked by memory, and repeated ones; most said first."""
    rows: dict[str, list] = {}
    for v in verdicts:
        row = rows.setdefault(v.record, [v.record, v.subject, 0, 0, 0])
        if by_memory(v.status):
            row[2] += v.extracted
            row[3] += 1
        elif v.status == "repeated":
            row[4] += 1
    frame = pd.DataFrame(rows.values(), columns=["record", "subject", "said", "of", "repeated"])
    return frame.sort_values(["said", "of"], ascending=[False, True], kind="stable").reset_index(
        drop=True
    )
