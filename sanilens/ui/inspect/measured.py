"""What Inspect measures, kept in the session: each thing once for one content."""

from collections.abc import Sequence

from sanilens.audit.reading import Reading, read_record
from sanilens.inspect.activations import activations
from sanilens.inspect.card import Card
from sanilens.inspect.effects import TopEffects, top_effects
from sanilens.inspect.removal import Baseline, Removal, baseline, removal, without
from sanilens.inspect.sample import Sample, UnitTable, every_unit, take_sample
from sanilens.model.units import LayerUnit, Unit, UnitKind, kind_of
from sanilens.ui.inspect.shown import Shown
from sanilens.ui.inspect.strip import Acting
from sanilens.ui.opened import Opened
from sanilens.ui.results import results

# How many records beside the selected one, and unseen notes, tell what goes with a unit.
OTHERS, _UNSEEN = 16, 8


def reading(opened: Opened, at: Shown) -> Reading:
    """The record as the model reads it."""
    key = ("reading", opened.key, at.record.id)
    return results().get(key, lambda: read_record(opened.subject, at.record))


def acting(opened: Opened, at: Shown, unit: Unit) -> Acting:
    """What the unit does on the record."""
    key = ("acting", opened.key, at.record.id, unit)

    def read() -> tuple[float, ...]:
        return tuple(activations(opened.subject, [at.record], [unit]).of(unit).tolist())

    return Acting(card(opened, unit), results().get(key, read))


def effects(opened: Opened, at: Shown, units: Sequence[LayerUnit]) -> TopEffects:
    """What zeroing each unit does to the selected span."""
    span = at.span_id or ""
    key = ("effects", opened.key, span, tuple(units))
    return results().get(key, lambda: top_effects(opened.subject, at.record, span, units))


def sample(opened: Opened) -> Sample:
    """Records with all activations kept, for cards and for the values of edits."""
    key = ("sample", opened.key)
    return results().get(key, lambda: take_sample(opened.subject, opened.corpus.records))


def unit_table(opened: Opened, kind: UnitKind) -> UnitTable:
    """How often each unit of a kind fires on the sample."""

    def measure() -> UnitTable:
        return sample(opened).table(every_unit(opened.subject, kind))

    return results().get(("table", opened.key, kind), measure)


def fires_on(opened: Opened, units: Sequence[Unit]) -> list[tuple[str, ...]]:
    """The labels that each unit is strongest at."""
    key = ("fires_on", opened.key, tuple(units))
    return results().get(key, lambda: sample(opened).fires_on(units))


def card(opened: Opened, unit: Unit) -> Card:
    """The unit's card over the sample."""
    return results().get(("card", opened.key, unit), lambda: sample(opened).card(unit))


def correlated(opened: Opened, unit: LayerUnit) -> tuple[tuple[Unit, float], ...]:
    """Units whose activation goes with the unit's, on the sample."""
    key = ("correlated", opened.key, unit)
    table = unit_table(opened, kind_of(unit))
    return results().get(key, lambda: sample(opened).correlated(unit, table))


def goes(opened: Opened, at: Shown, unit: LayerUnit) -> Removal:
    """What is still said, of this record and the sample's first others, without the unit."""
    label = at.span.label if at.span else ""
    others = [r for r in sample(opened).records if r.id != at.record.id][:OTHERS]
    records = (at.record, *others)

    def before() -> Baseline:
        return baseline(opened.subject, records, opened.unseen[:_UNSEEN])

    def measure() -> Removal:
        known = results().get(("baseline", opened.key, at.record.id), before)
        return removal(opened.subject, known, without(opened.subject, unit), label)

    return results().get(("removal", opened.key, at.record.id, label, unit), measure)
