"""Requests: from the name typed to a run that has begun, and nothing of the name anywhere."""

from pathlib import Path

import pytest

from sanilens.bundled import Sources
from sanilens.case import open_records
from sanilens.runs.execute import prepare
from sanilens.runs.folder import RunFolder
from sanilens.runs.jobs import Job
from sanilens.ui.plan import ready, request
from sanilens.unlearn.plan import read_plan
from tests.ui.tiny_case import everything, open_page, values


def a_name(ref: Sources) -> tuple[str, str]:
    """A subject, and a direct identifier that is theirs alone."""
    records = open_records(ref.corpus)
    of: dict[str, set[str]] = {}
    for r in records:
        for span in r.spans:
            if span.kind == "direct" and len(r.value(span)) > 5:
                of.setdefault(r.value(span), set()).add(r.subject)
    value, (subject,) = next((v, tuple(s)) for v, s in of.items() if len(s) == 1)
    return value, subject


def test_somebody_is_looked_up_and_forgotten(
    tiny_case: Sources, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[RunFolder] = []
    monkeypatch.setattr(request, "start", lambda run, plan: begun.append(run))
    value, subject = a_name(tiny_case)
    app = open_page("requests", tiny_case)
    assert not app.exception
    field = app.text_input[0]
    assert field.proto.type == field.proto.PASSWORD
    field.input(value)
    app.button[next(i for i, b in enumerate(app.button) if b.label == "Look up")].click().run()
    assert not app.exception
    drawn = everything(app)
    assert value not in drawn
    assert not [secret for secret in values(tiny_case) if secret in drawn]
    assert f"What the model says of {subject} now" in drawn
    assert "Forget everyone" in drawn
    assert value not in repr((app.session_state["people"], app.session_state["asking"]))
    # One press more, and it runs: the plan is for this person alone.
    app.button(key="request-forget").click().run()
    assert app.session_state["run"] == begun[0].root.name
    assert not [file for file in workspace.rglob("*") if value in str(file)]


def test_what_requests_share_is_measured_meanwhile(
    tiny_case: Sources, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[list[str]] = []
    monkeypatch.setattr(Job, "start", lambda self, arguments: begun.append([*arguments]))
    assert open_page("requests", tiny_case).button(key="ready-start")
    assert not begun, "what is large waits for its button"
    monkeypatch.setattr(ready, "_SMALL", 10**9)
    assert not open_page("requests", tiny_case).exception
    ((command, file, _),) = begun
    assert command == "prepare"
    prepare(read_plan(Path(file)), lambda _event: None)
    assert "ready-start" not in {button.key for button in open_page("requests", tiny_case).button}
    assert len(begun) == 1
    monkeypatch.setenv("SANILENS_HOME", str(workspace / "another"))
    monkeypatch.setenv("SANILENS_LOCKED", "1")
    assert not open_page("requests", tiny_case).exception
    assert len(begun) == 1, "who may look alone starts nothing"


def test_a_name_that_nobody_bears(tiny_case: Sources, workspace: Path) -> None:
    app = open_page("requests", tiny_case)
    app.text_input[0].input("Nobody At All")
    app.button[next(i for i, b in enumerate(app.button) if b.label == "Look up")].click().run()
    assert not app.exception
    assert "Nobody in these records" in app.info[0].value
    assert "Nobody At All" not in everything(app)


def test_without_a_case_it_says_where_to_go(workspace: Path) -> None:
    app = open_page("requests", None)
    assert not app.exception
    assert [button.label for button in app.button] == ["Open a case"]
