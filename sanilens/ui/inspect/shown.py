"""What Inspect shows, from ids that may come from an address: what does not exist falls back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sanilens.audit.context import by_memory
from sanilens.audit.extraction import SpanVerdict
from sanilens.audit.groups import records_by_leak
from sanilens.corpus.records import Record, Span
from sanilens.errors import PlanError
from sanilens.inspect.sae.sae import Sae
from sanilens.model.subject import SubjectModel
from sanilens.model.units import Code, Feature, Unit, parse_unit
from sanilens.ui.opened import Opened
from sanilens.ui.state import Selection


@dataclass(frozen=True, slots=True)
class Shown:
    """A record, its verdicts in the order of its spans, and the index of the selected span."""

    record: Record
    verdicts: tuple[SpanVerdict, ...]
    index: int | None

    @property
    def span(self) -> Span | None:
        """The selected span."""
        return None if self.index is None else self.record.spans[self.index]

    @property
    def span_id(self) -> str | None:
        """Its id."""
        return None if self.span is None else self.record.span_id(self.span)

    @property
    def verdict(self) -> SpanVerdict | None:
        """What the model does with it."""
        return None if self.index is None else self.verdicts[self.index]


def shown(opened: Opened, verdicts: Sequence[SpanVerdict], wanted: Selection) -> Shown:
    """The record and span of those ids; else the record that leaks most, and its surest span."""
    record = opened.record(wanted.record or "") or opened.record(
        str(records_by_leak(verdicts)["record"].iloc[0]) if verdicts else ""
    )
    record = record or opened.corpus.records[0]
    own = tuple(v for v in verdicts if v.record == record.id)
    ids = [v.span_id for v in own]
    return Shown(record, own, ids.index(wanted.span) if wanted.span in ids else _surest(own))


def _surest(verdicts: Sequence[SpanVerdict]) -> int | None:
    """The span said most surely by memory; the first of any kind where there is none."""
    asked = [i for i, v in enumerate(verdicts) if by_memory(v.status)]
    if not asked:
        return 0 if verdicts else None
    return max(asked, key=lambda i: (verdicts[i].extracted, verdicts[i].logprob))


def existing(
    subject: SubjectModel,
    unit: str | None,
    find_sae: Callable[[str], Sae | None] = lambda _: None,
) -> Unit | None:
    """The unit of that name, if the model, or an autoencoder that `find_sae` gives, has it.

    A code is none that Inspect shows: the page Codes does.
    """
    try:
        found = parse_unit(unit or "")
    except PlanError:
        return None
    if isinstance(found, Code):
        return None
    if isinstance(found, Feature):
        sae = find_sae(found.sae)
        return found if sae is not None and found.index < sae.width else None
    return found if subject.sites.has(found) else None
