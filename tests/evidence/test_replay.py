"""The plan and the attacks again: it alone finds tables and hashes that were made up together."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from sanilens.audit.attacks import ATTACKS
from sanilens.audit.attacks.result import AttackResult, Figure
from sanilens.evidence.replay import attacked_again, replay
from sanilens.evidence.verify import Check, failed, verify
from sanilens.runs.attacking import Attacked, State, attack_run
from sanilens.runs.folder import RunFolder
from sanilens.runs.log import run_events
from tests.runs.test_integrity import rechain


def attacked(hits: int, n: int = 100, state: State = "after") -> Attacked:
    figures = (
        Figure(name="all", title="x", value=hits / n, n=n, hits=hits),
        Figure(name="AUC", title="x", value=0.6 + hits / 1000, n=n, unit="AUC"),
    )
    result = AttackResult(figures=figures)
    return Attacked(attack="cue", plan="0" * 64, results={state: result}, models={state: "1" * 64})


@pytest.mark.parametrize(
    ("other", "outcome"),
    [
        (attacked(5), "as it was"),
        (attacked(7), "as it was"),  # two of a hundred
        (attacked(8), "WRONG"),
        (attacked(30), "WRONG"),
        (attacked(5, 60), "WRONG"),  # others were asked
        (attacked(5, state="before"), "WRONG"),
        (Attacked(attack="cue", plan="0" * 64), "WRONG"),
    ],
)
def test_what_attacks_find_again(other: Attacked, outcome: str) -> None:
    (found,) = attacked_again({"cue": attacked(5)}, {"cue": other}, ["cue"])
    assert found.outcome == outcome


def test_what_was_left_out_is_named() -> None:
    none = AttackResult(not_measured="no time")
    said = attacked(5).model_copy(update={"results": {"after": none}})
    (found,) = attacked_again({"cue": said}, {"cue": attacked(5)}, ["cue"])
    assert found.outcome == "WRONG"
    assert "all on after was left out" in found.words


def by_name(checks: list[Check]) -> dict[str, str]:
    return {each.what: each.outcome for each in checks}


def forge(run: RunFolder) -> None:
    """Make every hash right again, as whoever wrote the run can."""
    events = run_events(run)
    for event in events:
        if files := event.get("files"):
            own = {
                p: sha256 for p in files if (run.root / p).exists() for sha256 in [digest(run, p)]
            }
            event["files"] = {**files, **own}
    rechain(run, events)


def digest(run: RunFolder, path: str) -> str:
    return hashlib.sha256((run.root / path).read_bytes()).hexdigest()


@pytest.mark.slow
def test_tables_and_hashes_made_up_together(run: RunFolder, tmp_path: Path) -> None:
    """`verify` cannot know that; `--replay` does."""
    attack_run(run.root, ["cue"])
    honest = by_name(replay(run, tmp_path / "honest", attacks=["cue"]))
    assert set(honest.values()) == {"as it was"}, honest
    assert f"again: {ATTACKS['cue'].title}" in honest
    shutil.copyfile(run.arms / "reference.parquet", run.arms / "after.parquet")
    summary = json.loads((run.arms / "reference.json").read_bytes()) | {"arm": "after"}
    (run.arms / "after.json").write_text(json.dumps(summary))
    forge(run)
    assert not failed(verify(run.root))
    found = by_name(replay(run, tmp_path / "again"))
    assert found["again: After (this plan)"] == "WRONG"
    assert found["again: model"] == "as it was"


@pytest.mark.slow
def test_another_model_than_was_measured(run: RunFolder, tmp_path: Path) -> None:
    """Its figures are the plan's, and it is the one that leaks."""
    plan = run.plan()
    shutil.copyfile(Path(plan.model.source) / "model.safetensors", run.model / "model.safetensors")
    forge(run)
    assert not failed(verify(run.root))
    found = by_name(replay(run, tmp_path / "again"))
    assert found["again: After (this plan)"] == "as it was"
    assert found["again: model"] == "WRONG"
    assert "measured: After (this plan)" in found  # the weights as they are, of one other unit
