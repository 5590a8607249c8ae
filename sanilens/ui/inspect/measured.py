"""What Inspect measures, kept in the session: each thing once for one content."""

from collections.abc import Sequence

from sanilens.audit.reading import Reading, read_record
from sanilens.inspect.card import Card
from sanilens.inspect.effects import TopEffects, top_effects
from sanilens.inspect.localisers import Settings, find_localiser
from sanilens.inspect.removal import Baseline, Removal, baseline, removal
from sanilens.inspect.sample import Sample, take_sample
from sanilens.inspect.scores import UnitScores
from sanilens.inspect.targets import find_targets
from sanilens.model.units import Neuron
from sanilens.ui.inspect.scopes import Chosen
from sanilens.ui.inspect.shown import Shown
from sanilens.ui.opened import Opened
from sanilens.ui.progress import progress_bar
from sanilens.ui.results import results

# How many records beside the selected one, and unseen notes, tell what goes with a unit.
_OTHERS, _UNSEEN = 16, 8


def reading(opened: Opened, at: Shown) -> Reading:
    """The record as the model reads it."""
    key = ("reading", opened.key, at.record.id)
    return results().get(key, lambda: read_record(opened.subject, at.record))


def scores(opened: Opened, chosen: Chosen) -> UnitScores:
    """Gradient × activation of every neuron for the scope; a bar where it is more than a record."""
    subject, records, scope = opened.subject, chosen.records, chosen.scope
    localiser = find_localiser("gradient-activation")

    def measure() -> UnitScores:
        targets = find_targets(subject, records, scope)
        if len(records) == 1:
            return localiser.score(targets, Settings())
        with progress_bar(f"Attributing this {chosen.name}", "batches") as progress:
            return localiser.score(targets, Settings(progress=progress))

    return results().get(("scores", opened.key, scope), measure)


def effects(opened: Opened, at: Shown, units: Sequence[Neuron]) -> TopEffects:
    """What zeroing each unit does to the selected span."""
    span = at.span_id or ""
    key = ("effects", opened.key, span, tuple(units))
    return results().get(key, lambda: top_effects(opened.subject, at.record, span, units))


def sample(opened: Opened) -> Sample:
    """Records with all activations kept, for cards and for the values of edits."""
    key = ("sample", opened.key)
    return results().get(key, lambda: take_sample(opened.subject, opened.corpus.records))


def fires_on(opened: Opened, units: Sequence[Neuron]) -> list[tuple[str, ...]]:
    """The labels that each unit is strongest at."""
    key = ("fires_on", opened.key, tuple(units))
    return results().get(key, lambda: sample(opened).fires_on(units))


def card(opened: Opened, unit: Neuron) -> Card:
    """The unit's card over the sample."""
    return results().get(("card", opened.key, unit), lambda: sample(opened).card(unit))


def goes(opened: Opened, at: Shown, unit: Neuron) -> Removal:
    """What is still said, of this record and the sample's first others, without the unit."""
    label = at.span.label if at.span else ""
    others = [r for r in sample(opened).records if r.id != at.record.id][:_OTHERS]
    records = (at.record, *others)

    def before() -> Baseline:
        return baseline(opened.subject, records, opened.unseen[:_UNSEEN])

    def measure() -> Removal:
        known = results().get(("baseline", opened.key, at.record.id), before)
        return removal(opened.subject, known, [unit], label)

    return results().get(("removal", opened.key, at.record.id, label, unit), measure)
