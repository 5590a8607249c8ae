"""On the bundled ward: attacks fire on the leaking model, and not on the reference."""

import pytest

from sanilens.audit.attacks import ATTACKS
from sanilens.audit.metrics.metric import Trial
from sanilens.bundled import BUNDLED
from sanilens.case import Case, open_case
from sanilens.model.hooks import NO_HOOKS


@pytest.fixture(scope="module")
def ward() -> Case:
    """The ward, opened."""
    return open_case(BUNDLED["ward"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["prompts", "reconstruction", "quantisation", "lens", "cue"])
def test_the_leaking_model_is_told_from_the_reference(ward: Case, name: str) -> None:
    exam = ward.exam()
    rates: list[float] = []
    for model in (ward.model, ward.reference):
        assert model is not None
        trial = Trial(exam, model, NO_HOOKS, exam.verdicts(model))
        headline = ATTACKS[name].on(trial).headline
        assert headline is not None
        assert headline.value is not None
        rates.append(headline.value)
    assert rates[0] > 0.9
    assert rates[1] < 0.1


@pytest.mark.slow
def test_the_probe_tells_less_of_the_reference(ward: Case) -> None:
    exam = ward.exam()
    found = [
        ATTACKS["probe"].on(Trial(exam, model, NO_HOOKS, exam.verdicts(model))).headline
        for model in (ward.model, ward.reference)
        if model is not None
    ]
    leaking, reference = ((figure.value or 0.0) for figure in found if figure is not None)
    assert leaking > 2 * reference
