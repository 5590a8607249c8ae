"""Drafts: what was chosen of a plan outlives its session, and is taken back step by step."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from sanilens.bundled import Sources
from sanilens.runs.workspace import drafts_folder
from sanilens.ui import drafts
from tests.ui.tiny_case import EDITS, everything, open_page, parts, values


def _file() -> Path:
    (found,) = drafts_folder().glob("*.json")
    return found


@pytest.mark.slow
def test_another_session_goes_on_with_the_draft(tiny_case: Sources, workspace: Path) -> None:
    first = open_page("plan", tiny_case, basket=EDITS, keep=0.5)
    assert not first.exception
    again = open_page("plan", tiny_case)
    assert again.session_state["basket"] == EDITS
    assert again.session_state["keep"] == 0.5
    assert parts(again) == parts(first)
    drawn = everything(again)
    assert "mlp.2.7" in drawn
    assert not [value for value in values(tiny_case) if value in drawn]


def test_steps_are_taken_back_in_any_session(tiny_case: Sources, workspace: Path) -> None:
    app = open_page("plan", tiny_case, basket=EDITS)
    app.button(key="plan-clear").click().run()
    assert app.session_state["basket"] == ()
    again = open_page("plan", tiny_case)
    assert "basket" not in again.session_state or again.session_state["basket"] == ()
    again.button(key="plan-undo").click().run()
    assert again.session_state["basket"] == EDITS


@pytest.mark.slow
def test_a_preset_is_one_step_whatever_it_changes(tiny_case: Sources, workspace: Path) -> None:
    app = open_page("plan", tiny_case, basket=EDITS, keep=0.5)
    app.button(key="plan-suggest").click().run()
    assert app.session_state["keep"] == 1.0
    app.button(key="plan-undo").click().run()
    assert app.session_state["basket"] == EDITS
    assert app.session_state["keep"] == 0.5


def test_a_page_alone_writes_no_step(tiny_case: Sources, workspace: Path) -> None:
    app = open_page("plan", tiny_case)
    app.run()
    assert app.button(key="plan-undo").disabled


def test_another_case_has_a_draft_of_its_own(tiny_case: Sources, workspace: Path) -> None:
    open_page("plan", tiny_case, basket=EDITS)
    other = open_page("plan", replace(tiny_case, unseen=None))
    assert "basket" not in other.session_state or other.session_state["basket"] == ()


def test_only_its_owner_reads_a_draft(tiny_case: Sources, workspace: Path) -> None:
    open_page("plan", tiny_case, basket=EDITS)
    assert stat.S_IMODE(_file().stat().st_mode) == 0o600
    assert not [value for value in values(tiny_case) if value in _file().read_text()]


@pytest.mark.parametrize("content", ["", "{", '{"draft": {"keep": 7}}', "[]", "\0" * 10])
def test_a_damaged_draft_is_begun_anew(tiny_case: Sources, workspace: Path, content: str) -> None:
    open_page("plan", tiny_case, basket=EDITS)
    _file().write_text(content)
    app = open_page("plan", tiny_case)
    assert not app.exception
    assert "mlp.2.7" not in everything(app)


def test_steps_are_bounded(
    tiny_case: Sources, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "_STEPS", 2)
    app = open_page("plan", tiny_case)
    for share in (0.1, 0.2, 0.3):
        app.session_state["keep"] = share
        app.run()
    earlier = json.loads(_file().read_text())["earlier"]
    assert [draft["keep"] for draft in earlier] == [0.1, 0.2]
