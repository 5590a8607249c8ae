"""Runs by name in the app: a table, renaming, archive, delete, the plan again, side by side."""

import os
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from sanilens.audit.continuations import Identifiers
from sanilens.bundled import Sources
from sanilens.case import open_records
from sanilens.runs.folder import RunFolder
from sanilens.runs.identity import Identity, read_identity, save_identity
from sanilens.runs.progress import RunProgress
from sanilens.runs.workspace import find_run
from sanilens.ui.run.naming import called, called_apart, in_few_words
from sanilens.ui.run.overlay import rates_on_the_way
from sanilens.unlearn.plan import Repair, Rewriting
from tests.ui.tiny_case import EDITS, everything, make_plan, open_page, values


@pytest.fixture
def two(tiny_run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[RunFolder]:
    """The same finished run twice, in a workspace of its own."""
    monkeypatch.setenv("SANILENS_HOME", str(tmp_path / "home"))
    runs = [RunFolder(tmp_path / "home" / "runs" / name) for name in ("first", "second")]
    for run in runs:
        shutil.copytree(tiny_run.root, run.root)
    save_identity(runs[0], Identity(name="Ward, first try", note="seed 0"))
    return runs


def test_every_run_has_a_row_with_what_it_reached(tiny_case: Sources, two: list[RunFolder]) -> None:
    app = open_page("run", tiny_case)
    assert not app.exception
    rows = app.dataframe[-1].value.to_dict("records")
    assert {row["name"] for row in rows} == {"Ward, first try", "second"}
    for row in rows:
        assert row["state"] == "finished"
        assert row["verdict"] in ("gone", "not gone", "undecided")
        assert " → " in row["said"]
        assert row["case"] == "own texts (open)"
        assert "3 units" in row["plan"]
    assert str(two[0].root) not in everything(app)


def test_a_run_without_a_name_is_called_by_its_plan_and_day(
    tiny_case: Sources, two: list[RunFolder]
) -> None:
    kept = two[0].root.parent
    for n, run in enumerate(two):
        run.identity_file.unlink(missing_ok=True)
        run.root.rename(kept / (f"{n}" * 16))
    first, second = (RunFolder(kept / (f"{n}" * 16)) for n in range(2))
    for run in (first, second):
        os.utime(run.plan_file, (0, 1_769_558_400))  # 28 January 2026
    known = Identifiers.of(open_records(tiny_case.corpus))
    assert called(first, known) == "everyone, 3 units + surrogate, 28 Jan"
    alike = called_apart([first, second], known)
    assert alike[second] == f"{called(second, known)} (111111)"
    app = open_page("run", tiny_case)
    names = {row["name"] for row in app.dataframe[-1].value.to_dict("records")}
    assert names == set(alike.values())


def test_a_plan_in_few_words(tiny_case: Sources) -> None:
    plan = make_plan(tiny_case)
    rewritten = {"edits": (), "rewrite": Rewriting(), "repair": Repair(method="none")}
    assert in_few_words(plan.model_copy(update=rewritten)) == "rewritten"
    kept = plan.model_copy(update={"keep": 0.1, "edits": ()})
    assert in_few_words(kept) == "10 % kept + surrogate"


def test_runs_are_put_away_and_brought_back(tiny_case: Sources, two: list[RunFolder]) -> None:
    save_identity(two[0], Identity(name="Old", archived=True))
    app = open_page("run", tiny_case)
    assert [row["name"] for row in app.dataframe[-1].value.to_dict("records")] == ["second"]
    app.toggle(key="run-archived").set_value(True).run()
    assert len(app.dataframe[-1].value) == 2


def test_runs_are_sought_by_name_note_and_id(tiny_case: Sources, two: list[RunFolder]) -> None:
    app = open_page("run", tiny_case)
    app.text_input(key="run-search").input("ward SEED").run()
    assert not app.exception
    assert [row["name"] for row in app.dataframe[-1].value.to_dict("records")] == [
        "Ward, first try"
    ]
    app.text_input(key="run-search").input("seco").run()
    assert [row["name"] for row in app.dataframe[-1].value.to_dict("records")] == ["second"]


def test_what_was_said_on_the_way_is_a_share_of_what_was_asked() -> None:
    steps = [
        {"arm": arm, "step": step, "of": 64, "extracted": said, "asked": 13}
        for arm in ("after", "another_subject")
        for step, said in ((1, 13), (2, 0))
    ]
    assert rates_on_the_way(RunProgress(rewritten=steps)) == [1.0, 0.0]
    looks = [{"arm": "after", "rate": rate} for rate in (0.9, 0.1)]
    assert rates_on_the_way(RunProgress(curves=looks, rewritten=steps)) == [0.9, 0.1]


@pytest.mark.slow
def test_two_are_laid_over_one_another(tiny_case: Sources, two: list[RunFolder]) -> None:
    app = AppTest.from_function(
        _overlay, kwargs={"ref": tiny_case, "names": [run.root.name for run in two]},
        default_timeout=120,
    ).run()  # fmt: skip
    assert not app.exception
    drawn = everything(app)
    assert "Side by side" in drawn
    assert drawn.count("still said") >= 1
    assert "Spans extracted on the way" in drawn
    assert "Perplexity, unseen texts" in drawn
    assert not [value for value in values(tiny_case) if value in drawn]
    assert len(app.selectbox) == 1


@pytest.mark.slow
def test_actions_on_one_run(tiny_case: Sources, two: list[RunFolder]) -> None:
    def opened() -> AppTest:
        return AppTest.from_function(
            _actions, kwargs={"ref": tiny_case, "name": "first"}, default_timeout=120
        ).run()

    app = opened()
    assert not app.exception
    assert any("Nothing of it can be brought back" in m.value for m in app.markdown)
    app.button(key="runs-archive").click().run()
    assert read_identity(two[0]).archived
    app = opened()
    app.text_input[0].input("Second name")
    next(b for b in app.button if b.label == "Keep").click().run()
    assert read_identity(two[0]).name == "Second name"
    app = opened()
    app.text_input[0].input(f"for {max(values(tiny_case), key=len)}")
    next(b for b in app.button if b.label == "Keep").click().run()
    assert "holds an identifier" in app.error[0].value
    assert read_identity(two[0]).name == "Second name"
    app = opened()
    app.button(key="runs-edit").click().run()
    assert app.session_state["basket"] == EDITS
    app = opened()
    app.button(key="runs-delete").click().run()
    assert find_run("first") is None
    assert find_run("second") is not None


def _overlay(ref, names) -> None:
    from sanilens.runs.workspace import find_run
    from sanilens.ui import navigation
    from sanilens.ui.current_case import open_case
    from sanilens.ui.run.overlay import overlay_card

    navigation.register()
    overlay_card(open_case(ref), [(find_run(name), name) for name in names])  # pyright: ignore


def _actions(ref, name) -> None:
    from sanilens.runs.identity import read_identity
    from sanilens.runs.workspace import find_run
    from sanilens.ui import navigation, state
    from sanilens.ui.current_case import open_case
    from sanilens.ui.run.runs import _actions as draw

    navigation.register()
    state.open_case(ref)
    if run := find_run(name):
        draw(open_case(ref), run, read_identity(run))


def test_a_locked_app_offers_no_change(
    tiny_case: Sources, two: list[RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANILENS_LOCKED", "1")
    app = AppTest.from_function(
        _actions, kwargs={"ref": tiny_case, "name": two[0].root.name}, default_timeout=120
    ).run()
    assert not app.exception
    assert [button.key for button in app.button] == ["runs-compare", "runs-edit"]
