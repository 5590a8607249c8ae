"""What Inspect measures, each thing once per case and kept in the session."""

from collections.abc import Hashable, Sequence
from functools import partial

from sanilens.audit.continuations import Reading, read_record
from sanilens.audit.measurement import BeforeAfter, measure
from sanilens.audit.metrics.metric import Exam
from sanilens.case import Case
from sanilens.inspect.units.ablation import TopEffects, top_effects, without
from sanilens.inspect.units.activations import activations
from sanilens.inspect.units.card import Card
from sanilens.inspect.units.readers import Saes
from sanilens.inspect.units.sample import Sample, UnitTable, take_sample
from sanilens.model.units import Feature, Unit, kind_of
from sanilens.ui.inspect.selection import Shown, existing
from sanilens.ui.inspect.tokens import Acting
from sanilens.ui.results import results
from sanilens.ui.saes import sae_of

# Records beside the selected one, and unseen texts, on which a unit's removal is measured.
OTHERS, UNSEEN = 16, 8


def unit_named(opened: Case, name: str | None) -> Unit | None:
    """The unit of that name, if the model or one of its autoencoders has it."""
    return existing(opened.model, name, partial(sae_of, opened))


def saes_for(opened: Case, units: Sequence[Unit]) -> Saes:
    """The autoencoders whose features are among the units."""
    ids = dict.fromkeys(unit.sae for unit in units if isinstance(unit, Feature))
    found = ((name, sae_of(opened, name)) for name in ids)
    return {name: sae for name, sae in found if sae is not None}


def _case(opened: Case, units: Sequence[Unit]) -> Hashable:
    """What the units belong to: the case, and the content of their autoencoders."""
    return opened.key, tuple(sae.fingerprint for sae in saes_for(opened, units).values())


def reading(opened: Case, at: Shown) -> Reading:
    """The record as the model reads it."""
    key = ("reading", opened.key, at.record.id)
    return results().get(key, lambda: read_record(opened.model, at.record))


def acting(opened: Case, at: Shown, unit: Unit) -> Acting:
    """What the unit does on the record."""
    key = ("acting", _case(opened, [unit]), at.record.id, unit)

    def read() -> tuple[float, ...]:
        saes = saes_for(opened, [unit])
        return tuple(activations(opened.model, [at.record], [unit], saes).of(unit).tolist())

    return Acting(card(opened, unit), results().get(key, read))


def effects(opened: Case, at: Shown, units: Sequence[Unit]) -> TopEffects:
    """What zeroing each unit does to the selected span."""
    span, saes = at.span_id or "", saes_for(opened, units)
    key = ("effects", _case(opened, units), span, tuple(units))
    return results().get(key, lambda: top_effects(opened.model, at.record, span, units, saes))


def effects_known(opened: Case, at: Shown, units: Sequence[Unit]) -> bool:
    """Whether `effects` costs nothing."""
    return ("effects", _case(opened, units), at.span_id or "", tuple(units)) in results()


def sample(opened: Case, units: Sequence[Unit] = ()) -> Sample:
    """Records with all their activations, for unit cards and for the values of edits.

    `units` are those in question: features are read through their autoencoder.
    """
    key = ("sample", opened.key)
    plain = results().get(key, lambda: take_sample(opened.model, opened.corpus.records))
    for sae in saes_for(opened, units).values():
        return results().get((*key, sae.fingerprint), partial(plain.with_sae, sae))
    return plain


def unit_table(opened: Case, unit: Unit) -> UnitTable:
    """How often each unit of the kind of `unit` fires on the sample."""
    known = sample(opened, [unit])
    kind = "sae" if isinstance(unit, Feature) else kind_of(unit)
    key = ("table", _case(opened, [unit]), kind)
    return results().get(key, lambda: known.table(known.peers(unit)))


def fires_on(opened: Case, units: Sequence[Unit]) -> list[tuple[str, ...]]:
    """The labels that each unit is strongest at."""
    key = ("fires_on", _case(opened, units), tuple(units))
    return results().get(key, lambda: sample(opened, units).fires_on(units))


def card(opened: Case, unit: Unit) -> Card:
    """The unit's card over the sample."""
    key = ("card", _case(opened, [unit]), unit)
    return results().get(key, lambda: sample(opened, [unit]).card(unit))


def correlated(opened: Case, unit: Unit) -> tuple[tuple[Unit, float], ...]:
    """Units whose activation correlates with the unit's, on the sample."""
    key = ("correlated", _case(opened, [unit]), unit)
    table = unit_table(opened, unit)
    return results().get(key, lambda: sample(opened, [unit]).correlated(unit, table))


def goes(opened: Case, at: Shown, unit: Unit) -> BeforeAfter:
    """What can still be extracted without the unit: from this record and some others."""
    others = [r for r in sample(opened).records if r.id != at.record.id][:OTHERS]
    exam = Exam((at.record, *others), unseen=opened.unseen[:UNSEEN])
    before = results().get(
        ("baseline", opened.key, at.record.id), lambda: measure(opened.model, exam)
    )

    def measured() -> BeforeAfter:
        hooks = without(opened.model, [unit], saes_for(opened, [unit]))
        return BeforeAfter(before, measure(opened.model, exam, hooks=hooks))

    return results().get(("removal", _case(opened, [unit]), at.record.id, unit), measured)
