"""The set that silences a span: exact along the ranking, with a control of the same size."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from sanilens.audit.extraction import audit_spans
from sanilens.audit.targets import Scope, find_targets
from sanilens.case import open_model, open_records
from sanilens.corpus.records import Record
from sanilens.inspect.locate.localisers import Settings, find_localiser
from sanilens.inspect.units.ablation import answers_without
from sanilens.inspect.units.silencing import Silencing, ladder, silencing
from sanilens.model.interventions import zeroed
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import Head, LayerUnit, Neuron


@pytest.fixture(scope="module")
def leaking() -> LanguageModel:
    return open_model("clinic:leaking")


@pytest.fixture(scope="module")
def note(leaking: LanguageModel) -> tuple[Record, str, list[LayerUnit]]:
    """A short note, one of its spans that is said, and all neurons ranked for it."""
    notes = sorted(open_records("clinic:notes"), key=lambda record: len(record.text))
    record, span = next(
        (note, verdict.span_id)
        for note in notes[5:]
        for verdict in audit_spans(leaking, [note])
        if verdict.extracted and verdict.status == "memory"
    )
    targets = find_targets(leaking, [record], Scope(spans=frozenset({span})))
    scores = find_localiser("gradient-activation").score(targets, Settings())
    return record, span, scores.units(scores.values.numel())


def said(model: LanguageModel, record: Record, span: str, units: Sequence[LayerUnit]) -> bool:
    """By the audit, under hooks that zero the units."""
    verdicts = audit_spans(model, [record], hooks=zeroed(model, units))
    return next(v.extracted for v in verdicts if v.span_id == span)


@pytest.fixture(scope="module")
def found(leaking: LanguageModel, note: tuple[Record, str, list[LayerUnit]]) -> Silencing:
    return silencing(leaking, *note, draws=2)


def test_the_smallest_set_silences_and_one_unit_fewer_does_not(
    leaking: LanguageModel, note: tuple[Record, str, list[LayerUnit]], found: Silencing
) -> None:
    record, span, ranked = note
    assert found.before.said
    assert found.smallest
    assert not said(leaking, record, span, ranked[: found.smallest])
    assert said(leaking, record, span, ranked[: found.smallest - 1])
    assert found.at_smallest
    assert len(found.at_smallest.random) == 2
    assert [rung.units for rung in found.rungs] == sorted({rung.units for rung in found.rungs})


def test_where_nothing_is_said_nothing_is_silenced(
    leaking: LanguageModel, note: tuple[Record, str, list[LayerUnit]]
) -> None:
    record, span, ranked = note
    place = next(s for s in record.spans if record.span_id(s) == span)
    text = record.text[: place.start] + "#" * (place.end - place.start)
    other = replace(record, text=text, spans=(place,))
    found = silencing(leaking, other, other.span_id(place), ranked, draws=1)
    assert not found.before.said
    assert found.smallest is None
    assert found.at_smallest is None


def test_sets_in_one_batch_are_as_each_alone(model: LanguageModel, records: list[Record]) -> None:
    span = records[0].span_id(records[0].spans[0])
    sets = [[], [Neuron(0, 1), Neuron(2, 5), Head(1, 2)], [Head(0, 1)]]
    for units, answer in zip(sets, answers_without(model, records[0], span, sets), strict=True):
        verdicts = audit_spans(model, records[:1], hooks=zeroed(model, units))
        verdict = next(v for v in verdicts if v.span_id == span)
        assert answer.logprob == pytest.approx(verdict.logprob, abs=1e-4)
        assert answer.said == verdict.extracted


def test_the_ladder_ends_at_half() -> None:
    assert list(ladder(3)) == [1]
    assert list(ladder(1)) == []
    assert list(ladder(100_000))[-2:] == [2048, 4096]
