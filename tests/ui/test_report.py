"""Report: the first page in words, the questions, and everything as a download."""

import shutil
from pathlib import Path

import pytest

from sanilens.audit.continuations import Identifiers
from sanilens.bundled import Sources
from sanilens.case import open_records
from sanilens.runs.folder import RunFolder
from sanilens.runs.identity import Identity, save_identity
from sanilens.ui.markup import plain
from sanilens.ui.run.naming import called
from tests.ui.tiny_case import everything, open_page, values


def test_a_run_is_reported(
    tiny_case: Sources, tiny_run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANILENS_HOME", str(tiny_run.root.parents[1]))
    app = open_page("report", tiny_case, run=tiny_run.root.name)
    assert not app.exception
    shown = everything(app)
    name = called(tiny_run, Identifiers.of(open_records(tiny_case.corpus)))
    heading = f"**{plain(name)}** · What a run shows"
    assert any(said.value.startswith(heading) for said in app.markdown)
    for words in ("What was asked", "The worst person", "How sure this is", "hooks"):
        assert words in shown
    assert "Is extraction straight from the model" in shown
    assert "prove" not in shown.replace("improve", "")
    assert not [value for value in values(tiny_case) if value in shown]
    names = [button.proto.label for button in app.get("download_button")]  # pyright: ignore
    assert names[:3] == ["Report, to read and print", "Figures, CSV", "Evidence, JSON"]


def test_what_is_stated_is_shown(
    tiny_case: Sources, tiny_run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANILENS_HOME", str(tiny_run.root.parents[1]))
    app = open_page("report", tiny_case, run=tiny_run.root.name)
    app.text_input(key="stated-retention").input("ten years").run()
    assert not app.exception
    assert "ten years" in everything(app)


def test_without_a_run_it_says_what_to_do(tiny_case: Sources, workspace: object) -> None:
    app = open_page("report", tiny_case)
    assert not app.exception
    assert [button.label for button in app.button if "run" in (button.key or "")]


# As if every record had been revealed, for a day.
ALL = {f"n-{i:03}": 2e9 for i in range(100)}


@pytest.mark.parametrize("name", ["report", "compare"])
def test_a_locked_app_shows_and_reveals_nothing(
    tiny_case: Sources, tiny_run: RunFolder, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("SANILENS_HOME", str(tiny_run.root.parents[1]))
    monkeypatch.setenv("SANILENS_LOCKED", "1")
    app = open_page(name, tiny_case, run=tiny_run.root.name, revealed=ALL)
    assert not app.exception
    assert not [button for button in app.button if button.key == "reveal"]
    shown = everything(app)
    assert "locked: to look at" in shown
    assert not [value for value in values(tiny_case) if value in shown]


def test_criteria_are_judged_for_several_runs(
    tiny_case: Sources, tiny_run: RunFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    for name in ("a" * 16, "b" * 16):
        shutil.copytree(tiny_run.root, home / "runs" / name)
    save_identity(RunFolder(home / "runs" / ("b" * 16)), Identity(name="the other"))
    monkeypatch.setenv("SANILENS_HOME", str(home))
    app = open_page("report", tiny_case, run="a" * 16)
    assert not app.exception
    shown = everything(app)
    assert "nothing beyond the reference" in shown
    assert "not measured" in shown  # relearning is no part of this run
    app.multiselect(key="criteria-runs").select("b" * 16).run()
    assert not app.exception
    assert "the other" in everything(app)
