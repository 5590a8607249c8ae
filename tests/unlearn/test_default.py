"""What is suggested: fewer units for fewer people, and of a masked model strangers."""

import pytest

from sanilens.corpus.records import Record, in_scope
from sanilens.unlearn.choose import DEFAULT_SHARE, Located, NoUnits, suggested_share
from sanilens.unlearn.methods import find_method
from sanilens.unlearn.suggest import find_preset, start_by_hand, strategies, usual_preset


def test_the_share_follows_the_spans_that_are_asked_for(records: list[Record]) -> None:
    assert suggested_share(records, records) == DEFAULT_SHARE
    subject = records[0].subject
    asked = in_scope(records, (subject,))
    own = sum(len(r.spans) for r in records if r.subject == subject)
    every = sum(len(r.spans) for r in records)
    assert 0 < own < every
    assert suggested_share(records, asked) == pytest.approx(DEFAULT_SHARE * own / every)
    many = [*records * 40]
    assert suggested_share(many, asked) == 0.01
    assert suggested_share([], []) == DEFAULT_SHARE


@pytest.mark.parametrize("subjects", [(), ("p-001",)])
def test_a_masked_model_begins_with_strangers_whoever_is_asked_for(
    subjects: tuple[str, ...],
) -> None:
    """And with nothing that needs curvature, which it has not."""
    for name in (*strategies("masked", subjects, base_knows=True), start_by_hand("masked", ())):
        preset = find_preset(name)
        assert not isinstance(preset.units, Located)  # no localiser reads a masked model
        assert preset.rewrite is None
        assert find_method(preset.repair(None).method).fills_gaps
    usual = find_preset(usual_preset("masked", subjects, base_knows=True))
    assert (usual.units, usual.repair(None).method) == (NoUnits(), "stranger")
    assert usual.needs == ("subject" if subjects else "")
