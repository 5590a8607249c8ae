"""A deletion curve begins at the untouched model, and chance is compared at equal perplexity."""

import pytest

from sanilens.audit.extraction import audit_spans
from sanilens.audit.perplexity import perplexity
from sanilens.audit.summary import memory
from sanilens.audit.targets import Scope, find_targets
from sanilens.corpus.records import Record
from sanilens.inspect.locate.deletion_curve import Deletion, DeletionCurve
from sanilens.inspect.locate.localisers import Settings, find_localiser
from sanilens.inspect.locate.scores import UnitScores
from sanilens.model.language_model import LanguageModel


@pytest.fixture
def scores(model: LanguageModel, records: list[Record]) -> UnitScores:
    return find_localiser("alignment").score(find_targets(model, records), Settings())


def test_no_unit_is_the_untouched_model(
    model: LanguageModel, records: list[Record], scores: UnitScores
) -> None:
    curve = DeletionCurve(model, records, records[1:], Scope(labels=frozenset({"MRN"})))
    said = [v for v in memory(audit_spans(model, records)) if v.extracted]
    own = sum(v.label == "MRN" for v in said)
    bare = perplexity(model, records[1:]).value
    assert curve.located(scores, 0) == Deletion(0, own, len(said) - own, bare)
    assert curve.random(scores, 0, draws=2) == [Deletion(0, own, len(said) - own, bare)] * 2


def test_chance_is_matched_in_perplexity(
    model: LanguageModel, records: list[Record], scores: UnitScores
) -> None:
    curve = DeletionCurve(model, records, records)
    located = curve.random(scores, 60, draws=1)[0]
    matched = curve.matched(scores, located, draws=1, within=0.2)
    assert matched.random.perplexity == pytest.approx(located.perplexity, rel=0.2)
    assert matched.random_low == matched.random.spans == matched.random_high
