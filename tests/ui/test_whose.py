"""Whose details: chosen on Plan, told apart on Compare, and the next request after a run."""

from pathlib import Path

import pytest

from sanilens.bundled import Sources
from sanilens.case import open_records
from sanilens.runs.comparison import load_comparison
from sanilens.runs.execute import execute
from sanilens.runs.folder import RunFolder
from sanilens.runs.workspace import asked_before
from sanilens.ui.compare.requests import case_of, harm
from sanilens.ui.state import Parts
from sanilens.unlearn.plan import Repair, UnitEdit
from sanilens.unlearn.suggest import find_preset
from tests.ui.tiny_case import everything, make_plan, open_page, parts

RESET = (UnitEdit(unit="mlp.0.3", operation="reset"),)
SHORT = Repair(epochs=1, batch_size=4, precision="float32")


def people(ref: Sources) -> list[str]:
    return sorted({r.subject for r in open_records(ref.corpus) if r.spans})


@pytest.fixture(scope="module")
def asked(tiny_case: Sources, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A finished run for one subject alone, all of it in the weights."""
    change = {"edits": RESET, "repair": SHORT, "subjects": (people(tiny_case)[0],)}
    plan = make_plan(tiny_case).model_copy(update={**change, "controls": False})
    folder = tmp_path_factory.mktemp("workspace") / "runs" / plan.sha256[:16]
    execute(plan, folder)
    return RunFolder(folder)


def test_the_plan_is_for_everyone_until_somebody_is_chosen(
    tiny_case: Sources, workspace: Path
) -> None:
    app = open_page("plan", tiny_case, basket=RESET)
    assert not app.exception
    before = everything(app)
    name = people(tiny_case)[1]
    app.multiselect(key="plan-subjects").select(name).run()
    assert not app.exception
    assert app.session_state["subjects"] == (name,)
    assert "1 subject only" in everything(app)
    assert any("Compare shows them" in caption.value for caption in app.caption)
    # Units were chosen by hand, so the rest stays as it was.
    assert (repair := parts(app).repair)
    assert repair.trains
    assert app.session_state["basket"] == RESET
    app.multiselect(key="plan-subjects").unselect(name).run()
    assert not app.exception
    assert app.session_state["subjects"] == ()
    assert "subject only" not in everything(app)
    assert "subject only" not in before


def test_one_choice_makes_a_persons_plan_and_everyone_takes_it_back(
    tiny_case: Sources, workspace: Path
) -> None:
    app = open_page("plan", tiny_case)
    suggested = parts(app)
    assert suggested.repair
    assert suggested.repair.trains
    name = people(tiny_case)[0]
    app.multiselect(key="plan-subjects").select(name).run()
    assert not app.exception
    preset = find_preset("person")
    assert parts(app) == Parts(Repair(method="none"), preset.keep, preset.rewrite)
    assert "1 subject only, all weights rewritten, no repair" in everything(app)
    assert not app.button(key="plan-run").disabled
    app.multiselect(key="plan-subjects").select(people(tiny_case)[1]).run()
    assert parts(app).rewriting == preset.rewrite
    for each in people(tiny_case)[:2]:
        app.multiselect(key="plan-subjects").unselect(each).run()
    assert parts(app) == suggested


def test_a_choice_goes_with_its_case(tiny_case: Sources, workspace: Path) -> None:
    app = open_page("plan", tiny_case, subjects=(people(tiny_case)[0],))
    assert not app.exception
    assert app.multiselect(key="plan-subjects").value == [people(tiny_case)[0]]
    assert "subjects" not in str(app.query_params)
    assert people(tiny_case)[0] not in str(app.query_params)


def test_compare_tells_both_groups(
    tiny_case: Sources, asked: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANILENS_HOME", str(asked.root.parents[1]))
    app = open_page("compare", tiny_case, run=asked.root.name)
    assert not app.exception
    drawn = everything(app)
    assert "All others, before" in drawn
    found = load_comparison(asked)
    assert f"{found.of('asked').rate('before').n:,} asked for" in drawn
    pair = found.of("others").paired("before", "after")
    assert f"of {pair.n:,} · {pair.only_first:,} lost, {pair.only_second:,} new" in harm(found)
    assert harm(found) in drawn
    assert not app.button(key="compare-next").disabled


def test_the_result_is_the_next_requests_model(
    tiny_case: Sources, asked: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANILENS_HOME", str(asked.root.parents[1]))
    following = case_of(asked.plan(), asked.model)
    assert following.corpus == tiny_case.corpus
    assert asked_before(following.model) == asked.plan().subjects
    app = open_page("plan", following, subjects=(people(tiny_case)[1],), basket=RESET)
    assert not app.exception
    assert any("1 subject deleted" in caption.value for caption in app.caption)
    drawn = everything(app)
    assert f"result of {asked.plan().subjects[0]}, " in drawn  # as Run calls it
    assert asked.root.name[:8] not in drawn.split("sl-chips")[1].split("</div>")[0]


def test_a_result_that_is_not_all_in_the_weights_cannot_go_on(
    tiny_case: Sources, tiny_run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANILENS_HOME", str(tiny_run.root.parents[1]))
    app = open_page("compare", tiny_case, run=tiny_run.root.name)
    assert not app.exception
    assert app.button(key="compare-next").disabled
    assert "Some edits are hooks" in app.button(key="compare-next").help
    assert "All others" not in everything(app)
