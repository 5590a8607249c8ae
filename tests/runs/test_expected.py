"""A run's time is told beforehand: the same steps, no trace of the trial."""

from pathlib import Path

import pytest
import torch

from sanilens.case import open_planned
from sanilens.runs.execute import execute
from sanilens.runs.expected import Training, expected_arms, training_cost
from sanilens.runs.folder import RunFolder
from sanilens.runs.log import run_events
from sanilens.runs.treatments import treatments
from sanilens.unlearn.plan import NO_REPAIR, Plan, Repair, Rewriting
from tests.runs.exported import same, weights


def test_the_steps_are_those_of_the_run(tiny_plan: Plan) -> None:
    case = open_planned(tiny_plan)
    state = torch.random.get_rng_state()
    for repair in (Repair(method="masked", epochs=2, batch_size=4, train="lora"),
                   Repair(method="stranger", epochs=3, batch_size=1)):  # fmt: skip
        cost = training_cost(case, tiny_plan.model_copy(update={"repair": repair}))
        assert cost.steps % repair.epochs == 0
        assert cost.steps >= repair.epochs * len(case.corpus.records) / repair.batch_size
        assert cost.step > 0
    assert torch.equal(torch.random.get_rng_state(), state)


def test_what_is_needed_once_counts_once(tiny_plan: Plan) -> None:
    case, plan = open_planned(tiny_plan), tiny_plan.model_copy(update={"controls": True})
    arms = treatments(plan, case.model.sites)
    found = expected_arms(case, plan, arms, 0.1, Training(7.0, 10, 2.0))
    records, unseen = len(case.corpus.records), len(case.unseen)
    assert found["before"].seconds == pytest.approx(0.1 * (records + unseen))
    assert found["lookalike"].seconds == pytest.approx(0.1 * len(case.corpus.control))
    assert (found["after"].before, found["repair_only"].before) == (7.0, 0.0)
    # The sample is looked at before, and of the plan's own arm twice an epoch: 40 texts each time.
    looks = 1 + 2 * tiny_plan.repair.epochs
    assert found["after"].steps * found["after"].step == pytest.approx(20.0 + looks * 0.1 * 40)
    assert found["edits_only"].steps == 0
    rewriting = tiny_plan.model_copy(
        update={"repair": Repair(method=NO_REPAIR), "rewrite": Rewriting(), "edits": ()}
    )
    told = expected_arms(case, rewriting, treatments(rewriting, case.model.sites), 0.1, None)
    assert told["after"].before == pytest.approx(0.1 * 4 * records)


@pytest.mark.slow
def test_a_run_that_foretells_ends_with_the_same_weights(tiny_plan: Plan, tmp_path: Path) -> None:
    execute(tiny_plan, tmp_path / "plain")
    execute(tiny_plan, tmp_path / "told", foretell=True)
    plain, told = RunFolder(tmp_path / "plain"), RunFolder(tmp_path / "told")
    assert same(weights(plain), weights(told))
    events = run_events(told)
    expected = {e["arm"]: e for e in events if e["event"] == "expected"}
    names = next(e["names"] for e in events if e["event"] == "arms")
    assert expected.keys() == set(names)
    steps = next(e["of"] for e in events if e["event"] == "step" and e["arm"] == "after")
    assert expected["after"]["steps"] == steps
    assert not [e for e in run_events(plain) if e["event"] == "expected"]
