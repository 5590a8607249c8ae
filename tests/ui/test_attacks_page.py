"""Attacks: the figures of a run's attacks beside the models they are held against."""

import shutil
from pathlib import Path

import pytest

from sanilens.bundled import Sources
from sanilens.runs.attacking import attack_run, load_attacks
from sanilens.runs.folder import RunFolder
from sanilens.ui.attacks.cards import between, figure_of, headline, shown_states, value
from tests.ui.tiny_case import everything, open_page, values

pytestmark = pytest.mark.slow


@pytest.fixture
def attacked(tiny_run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """The tiny run in a workspace of its own, attacked by what is quick."""
    run = RunFolder(tmp_path / "runs" / tiny_run.root.name)
    shutil.copytree(tiny_run.root, run.root)
    monkeypatch.setenv("SANILENS_HOME", str(tmp_path))
    attack_run(run.root, ["cue", "bypass", "change-shape"])
    return run


def test_figures_stand_beside_each_other(tiny_case: Sources, attacked: RunFolder) -> None:
    app = open_page("attacks", tiny_case, run=attacked.root.name)
    assert not app.exception
    drawn = everything(app)
    assert "What they get" in drawn
    assert "9 are left to try" in drawn
    assert not [secret for secret in values(tiny_case) if secret in drawn]
    found = load_attacks(attacked)["cue"]
    assert shown_states([found])[0] == "after"
    name = headline(found)
    assert name is not None
    figure = figure_of(found, "after", name)
    assert figure is not None
    assert value(figure) in drawn
    assert between(figure) in drawn
    app.selectbox(key="attack-shown").set_value("change-shape").run()
    assert not app.exception
    assert "Every linear map" in everything(app)
    assert "Not applicable: this is the model from before." in everything(app)


def test_a_changed_file_is_not_shown(tiny_case: Sources, attacked: RunFolder) -> None:
    path = attacked.attacks / "cue.json"
    path.write_text(path.read_text().replace('"n": ', '"n":  ', 1))
    app = open_page("attacks", tiny_case, run=attacked.root.name)
    assert not app.exception
    assert "has changed" in app.error[0].value
    assert "What they get" not in everything(app)


def test_what_was_not_measured_is_a_dash() -> None:
    assert value(None) == "–"
    assert between(None) == "not measured"
