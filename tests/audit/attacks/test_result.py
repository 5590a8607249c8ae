"""What a result may say: nothing unmeasured looks clean, and nothing is counted twice."""

import math

import pytest
from pydantic import ValidationError

from sanilens.audit.attacks import ATTACKS, find_attacks
from sanilens.audit.attacks.result import (
    AttackResult,
    Better,
    Figure,
    Table,
    beside,
    held,
    not_measured,
    share,
    worst_of,
)
from sanilens.errors import PlanError
from tests.audit.attacks.conftest import Planted


def test_of_nothing_there_is_no_rate() -> None:
    nothing = share("all", 0, 0)
    assert nothing.value is nothing.low is nothing.high is None
    with pytest.raises(ValidationError, match="says why it has none"):
        AttackResult(figures=(nothing,))
    assert AttackResult(figures=(nothing,), not_measured="No span.").headline is None
    assert not_measured("No span.").headline is None
    none_of_many = share("all", 0, 300)
    assert none_of_many.value == 0
    assert none_of_many.high == pytest.approx(0.0126, abs=1e-4)


@pytest.mark.parametrize(
    "fields",
    [
        {"value": 0.0, "n": 0},
        {"value": None, "n": 3},
        {"value": math.nan, "n": 3},
        {"value": 0.5, "n": 2, "hits": 3},
        {"value": 0.5, "n": 2, "low": 0.9, "high": 0.1},
        {"value": None, "n": 0, "low": 0.0, "high": 1.0},
    ],
)
def test_a_figure_makes_sense(fields: dict) -> None:
    with pytest.raises(ValidationError):
        Figure(name="x", title="x", **fields)


def test_a_figure_is_held_against_the_references_interval() -> None:
    reference = share("all", 1, 300)
    assert beside(share("all", 2, 300), reference) == "within"
    assert beside(share("all", 30, 300), reference) == "above"
    assert beside(share("all", 0, 300), share("all", 150, 300)) == "below"
    assert beside(share("all", 0, 0), reference) is None
    assert beside(None, reference) is beside(reference, None) is None


def test_outside_is_on_the_side_that_a_figure_should_not_be_on() -> None:
    def result(value: float) -> AttackResult:
        ways: tuple[Better, ...] = ("lower", "higher", "reference", "neither")
        return AttackResult(
            figures=tuple(
                Figure(name=b, title=b, value=value, n=9, low=value - 0.1, high=value + 0.1,
                       better=b)
                for b in ways
            )
        )  # fmt: skip

    high, low, alike = (held(result(own), result(0.5)) for own in (0.9, 0.1, 0.55))
    assert high == {"lower": "above", "higher": "within", "reference": "above"}
    assert low == {"lower": "within", "higher": "below", "reference": "below"}
    assert {*alike.values()} == {"within"}
    assert held(result(0.5), not_measured("No span.")) == {}


def test_a_table_is_a_rectangle() -> None:
    with pytest.raises(ValidationError, match="not as many cells"):
        Table(name="t", title="t", columns=("a", "b"), rows=((1,),))


def test_a_result_is_what_it_was_once_it_was_written(planted: Planted) -> None:
    for name in ("cue", "membership", "lens", "change-shape"):
        found = planted.attack(name, planted.reference)
        assert found.not_measured is None
        assert AttackResult.model_validate_json(found.model_dump_json()) == found
        assert all(f.unit == "share" for f in found.figures if f.hits is not None)


def test_no_result_holds_a_secret(planted: Planted) -> None:
    secrets = [r.value(s) for r in planted.exam.records for s in r.spans]
    for name in ("prompts", "cue", "membership", "lens", "probe"):
        text = planted.attack(name, planted.leaking).model_dump_json()
        assert not any(secret in text for secret in secrets)


def test_the_worst_person_is_named_by_subject(planted: Planted) -> None:
    worst = worst_of(planted.exam.verdicts(planted.leaking))
    assert worst is not None
    assert (worst.hits, worst.n) == (3, 3)
    assert worst.subject.startswith("s-")


def test_unknown_attacks_are_refused() -> None:
    assert [a.name for a in find_attacks(["cue", "prompts"])] == ["prompts", "cue"]
    with pytest.raises(PlanError, match="no attack is called 'fame'"):
        find_attacks(["fame"])
    assert all(name == attack.name for name, attack in ATTACKS.items())
