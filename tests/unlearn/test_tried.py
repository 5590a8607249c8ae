"""A rewriting tried on a copy does what the plan would do, and leaves the model as it is."""

import pytest
import torch

from sanilens.audit.extraction import audit_spans
from sanilens.audit.summary import memory
from sanilens.model.language_model import LanguageModel
from sanilens.unlearn.plan import Repair, Rewriting, UnitEdit
from sanilens.unlearn.rewriting import prepare_rewriting
from sanilens.unlearn.sanitise import Change, sanitise
from sanilens.unlearn.tried import Trying, doses
from tests.unlearn.conftest import NOTES

ASKED = ("p-2",)
# Short steps: everything that the model knows lies close together.
SETTINGS = Rewriting(step=1e-4, damping=1e-6)
NONE = Repair(method="none")


def ready(
    model: LanguageModel, subjects: tuple[str, ...] = ASKED, settings: Rewriting = SETTINGS
) -> Trying:
    return Trying(prepare_rewriting(model, NOTES, settings, subjects=subjects), NOTES, subjects)


def said(model: LanguageModel, theirs: bool) -> int:
    verdicts = memory(audit_spans(model, NOTES))
    return sum(v.extracted for v in verdicts if (v.subject in ASKED) == theirs)


@pytest.mark.parametrize("units", [(), ("mlp.0.3", "mlp.1.7", "mlp.2.5")])
def test_it_does_what_the_plan_would(leaking: LanguageModel, units: tuple[str, ...]) -> None:
    edits = tuple(UnitEdit(unit=unit, operation="rewrite") for unit in units)
    before = {name: own.clone() for name, own in leaking.module.state_dict().items()}
    heard: list[int] = []
    found = ready(leaking).of(edits, lambda step, _of: heard.append(step))
    assert all(torch.equal(own, before[n]) for n, own in leaking.module.state_dict().items())
    change = Change(edits, NONE, rewrite=SETTINGS, subjects=ASKED)
    planned = sanitise(leaking, NOTES, change).model
    assert (found.asked.hits, found.others.hits) == (said(planned, True), said(planned, False))
    assert heard == list(range(1, found.steps + 1))
    assert found.steps > 0
    assert found.harm > 0
    assert found.predicted > 0
    assert found.forgotten > 0


def test_it_knows_what_was_said_before(leaking: LanguageModel) -> None:
    own = ready(leaking)
    assert [row.hits for row in own.before] == [said(leaking, True), said(leaking, False)]
    asked, others = ready(leaking, ()).before
    assert (asked.n, others.n) == (own.before[0].n + own.before[1].n, 0)


def test_the_ranking_is_by_price(leaking: LanguageModel) -> None:
    own = ready(leaking)
    ranking = own.ranking()
    assert len(set(ranking)) == len(ranking) == 3 * 48
    prices = own.quote.scores("mlp", 1).values
    ranked = [float(prices[unit.layer, unit.index]) for unit in ranking]
    assert ranked == sorted(ranked, reverse=True)


def test_doses_of_few_units_are_not_repeated() -> None:
    assert doses(144) == (1, 5, 14)
    assert doses(1792) == (2, 6, 18, 60, 179)
