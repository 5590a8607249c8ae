"""What the plan's edits would do, measured with hooks and kept in the session."""

from collections.abc import Hashable

from sanilens.audit.extraction import SpanVerdict, audit_spans
from sanilens.audit.measurement import Measurement
from sanilens.case import Case
from sanilens.corpus.records import Record
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.runs.execute import spaced
from sanilens.ui import state
from sanilens.ui.results import results
from sanilens.ui.saes import saes_of
from sanilens.unlearn.controls import random_edits
from sanilens.unlearn.edits import edit_hooks
from sanilens.unlearn.plan import UnitEdit
from sanilens.unlearn.whatif import Probe

Edits = tuple[UnitEdit, ...]


def hooks_of(opened: Case, edits: Edits) -> Hooks:
    """The edits as hooks on the examined model.

    Raises:
        PlanError: if the model, or an autoencoder at hand, does not have one of the units.
    """
    if not edits:
        return NO_HOOKS
    seed = state.run_options().seed
    return edit_hooks(opened.model, edits, opened.base, seed, saes_of(opened, edits))


def key_of(opened: Case, edits: Edits) -> Hashable:
    """Everything that decides what these edits do to the open case."""
    saes = tuple(sae.fingerprint for sae in saes_of(opened, edits).values())
    return opened.key, edits, state.run_options().seed, saes


def probe(opened: Case) -> Probe:
    """What is asked: the spans of some records, and text that should not change."""

    def ready() -> Probe:
        sample = spaced(opened.corpus.records, _SAMPLE)
        return Probe(opened.model, sample, spaced(opened.unseen or sample, _NEUTRAL))

    return results().get(("probe", opened.key), ready)


def effect(opened: Case, edits: Edits) -> Measurement:
    """What the edits do to them."""

    def measure() -> Measurement:
        asked = probe(opened)
        return asked.effect(hooks_of(opened, edits)) if edits else asked.original

    return results().get(("effect", key_of(opened, edits)), measure)


def measured(opened: Case, edits: Edits) -> bool:
    """Whether `effect` costs nothing."""
    return ("effect", key_of(opened, edits)) in results()


def controls(opened: Case, edits: Edits, draws: int) -> list[Edits]:
    """Several draws of random edits in place of these."""

    def drawn() -> list[Edits]:
        saes, first = saes_of(opened, edits), state.run_options().seed
        sites = opened.model.sites
        return [random_edits(sites, edits, first + n, saes) for n in range(draws)]

    return results().get(("controls", key_of(opened, edits), draws), drawn)


def verdicts(opened: Case, record: Record, edits: Edits) -> list[SpanVerdict]:
    """The audit of a record's spans under the edits."""

    def ask() -> list[SpanVerdict]:
        return audit_spans(opened.model, [record], hooks=hooks_of(opened, edits))

    return results().get(("what-if", key_of(opened, edits), record.id), ask)


# Few enough to measure one set of edits in under a second on the bundled case.
_SAMPLE, _NEUTRAL = 12, 6
