"""Run: what the page says at each state, the list of runs, words for time."""

from pathlib import Path

import pytest

from sanilens.bundled import Sources
from sanilens.progress import duration
from sanilens.runs.events import EventLog, read_events
from sanilens.runs.folder import RunFolder
from sanilens.runs.progress import follow
from sanilens.runs.workspace import run_folder
from sanilens.ui.run.charts import curves_csv
from sanilens.ui.run.live import stage
from sanilens.ui.run.rewriting import rows
from sanilens.ui.tables import Group, Row
from tests.runs.test_progress import REWRITING, a_step, events
from tests.ui.tiny_case import everything, make_plan, open_page, values


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "about 5 s"), (37, "about 35 s"), (61, "about 1 min"), (700, "about 12 min"),
     (2 * 3600, "about 2.0 h")],
)  # fmt: skip
def test_duration(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_stage_names_arm_and_step() -> None:
    rows = [
        {"event": "arms", "names": ["before", "after"], "time": 0.0},
        {"event": "measured", "arm": "before", "seconds": 3.0, "time": 3.0},
        {"event": "step", "arm": "after", "step": 2, "of": 9, "loss": 1.0, "time": 4.0},
    ]
    progress = follow(rows, True, now=4.0)
    assert stage(progress, "running").startswith("arm 2 of 2: After (this plan), step 2 of 9")
    assert stage(progress, "cancelled") == "arm 2 of 2: After (this plan), step 2 of 9"


def test_stage_names_what_is_read_and_the_steps_of_rewriting() -> None:
    reading = follow(events(*REWRITING), False, now=17.0, rewrites=True)
    assert stage(reading, "running") == (
        "arm 2 of 4: After (this plan), reading what must stay, 5 of 20 batches (about 15 s)"
    )
    step = follow(events(*REWRITING, a_step(31.0, "after", 1, 4)), False, rewrites=True)
    assert stage(step, "running").endswith("rewriting, step 1 of at most 8")


def test_a_row_tells_predicted_beside_measured() -> None:
    steps = a_step(31.0, "after", 1, 4), a_step(32.0, "after", 2, 0, halved=3)
    found = rows(follow(events(*REWRITING, *steps), False, rewrites=True))
    assert isinstance(found[0], Group)
    assert found[0].title == "After (this plan)"
    assert isinstance(found[2], Row)
    step, _, said, left, *figures, back = found[2].cells
    assert (step, said, left, back) == ("2", "<b>0</b> / 9", "0", "3 ×")
    assert figures == ["–", "0.10", "0.20", "0.40"]  # whether it comes back: not tried


def test_without_a_run_it_says_where_to_go(tiny_case: Sources, workspace: Path) -> None:
    app = open_page("run", tiny_case)
    assert not app.exception
    assert any("No run is chosen" in m.value for m in app.markdown)


def test_a_finished_run(
    tiny_case: Sources, tiny_run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANILENS_HOME", str(tiny_run.root.parents[1]))
    app = open_page("run", tiny_case, run=tiny_run.root.name)
    assert not app.exception
    drawn = everything(app)
    assert "Finished" in drawn
    assert "7 of 7 arms measured" in drawn
    assert app.button(key="next-to-compare")
    assert not [value for value in values(tiny_case) if value in drawn]
    table = curves_csv(follow(read_events(tiny_run.events_file), True))
    assert table.startswith("arm,step,loss")


def test_a_failed_run_says_why_and_shows_no_traceback(tiny_case: Sources, workspace: Path) -> None:
    plan = make_plan(tiny_case)
    run = run_folder(plan)
    run.prepare(plan)
    EventLog(run.events_file).append("started", plan=plan.sha256)
    run.log_file.write_text("Traceback: 'secret of a patient'\nsanilens: corpus: has changed.\n")
    app = open_page("run", tiny_case, run=run.root.name)
    assert not app.exception
    assert "has changed" in app.error[0].value
    assert "secret of a patient" not in everything(app)
    assert app.button(key="run-resume").label == "Resume"
    run.log_file.write_text("Traceback: 'secret of a patient'\n")
    app.run()
    assert not app.error
    assert "secret of a patient" not in everything(app)
