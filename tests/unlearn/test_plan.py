"""Plans: canonical, hashed, strict."""

import json
import os
from pathlib import Path

import pytest

from sanilens.errors import PlanError
from sanilens.unlearn.plan import (
    MAX_PLAN_BYTES,
    Plan,
    Repair,
    Rewriting,
    Source,
    UnitEdit,
    read_plan,
    write_plan,
)

SOURCE = Source(source="clinic:leaking", sha256="0" * 64)
PLAN = Plan(
    model=SOURCE,
    corpus=SOURCE,
    edits=(
        UnitEdit(unit="mlp.1.2", operation="reset"),
        UnitEdit(unit="mlp.0.1", operation="cap", value=0.5),
    ),
)


def test_a_plan_round_trips_with_its_hash(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    write_plan(PLAN, path)
    assert read_plan(path) == PLAN
    assert read_plan(path).sha256 == PLAN.sha256
    path.write_text(PLAN.canonical())  # another layout of the same plan
    assert read_plan(path).sha256 == PLAN.sha256


def test_the_hash_is_of_everything_that_decides() -> None:
    for change in ({"seed": 1}, {"controls": False}, {"edits": PLAN.edits[:1]}):
        assert PLAN.model_copy(update=change).sha256 != PLAN.sha256


def broken(**changes: object) -> str:
    return json.dumps(PLAN.model_dump(mode="json") | changes)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "plan: "),
        (broken(extra=1), "extra: Extra inputs"),
        (broken(seed=-1), "seed: "),
        (broken(reference=SOURCE.model_dump()), "the examined model itself"),
        (broken(opening=[-1]), "opening.0: "),
        (broken(opening=[0] * 9), "opening: "),
        (broken(seed=float("nan")), "not valid JSON"),
        (broken(schema_version=2), "schema_version: "),
        (broken(edits=[{"unit": "mlp.01.2", "operation": "zero"}]), "edits.0.unit: .*not a unit"),
        (broken(edits=[{"unit": "mlp.0.2", "operation": "explode"}]), "edits.0.operation: "),
        (broken(edits=[{"unit": "mlp.0.2", "operation": "clamp"}]), "edits.0: .*need a value"),
        (broken(edits=[{"unit": "mlp.0.2", "operation": "zero", "value": 1}]), "edits.0: "),
        (broken(edits=[{"unit": "mlp.0.2", "operation": "zero"}] * 2), "mlp.0.2 is edited twice"),
        (broken(edits=[{"unit": "mlp.0.2", "operation": "rewrite"}]), "rewrite must say how"),
        (
            broken(edits=[{"unit": "sae.x.2", "operation": "rewrite"}], rewrite={}),
            "edits.0: .*cannot be edited by rewrite",
        ),
        (broken(rewrite={"teacher": "headmaster"}), "there is stranger, base, uniform"),
        (broken(rewrite={"teacher": "base"}), "base model is the teacher"),
        (broken(rewrite={"damping": 0}), "rewrite.damping: "),
        (broken(rewrite={"budget": -1}), "rewrite.budget: "),
        (broken(rewrite={"layers": [-1]}), "rewrite.layers.0: "),
        (broken(rewrite={"speed": 2}), "rewrite.speed: Extra inputs"),
        (broken(model={"source": "x", "sha256": "nonsense"}), "model.sha256: "),
        (broken(subjects=[""]), "subjects.0: "),
        (broken(earlier=["p-1"]), "earlier subjects"),
        (broken(earlier=["p-1"], subjects=["p-1", "p-2"]), "earlier subjects"),
    ],
)
def test_a_broken_plan_is_one_message(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(content)
    with pytest.raises(PlanError, match=rf"^plan\.json(:| is) .*{message}"):
        read_plan(path)


def test_a_missing_plan_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"^none\.json is missing\. Build"):
        read_plan(tmp_path / "none.json")


def test_what_is_not_a_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(PlanError, match=r"^pipe\.json is a pipe, not a file\. Build"):
        read_plan(tmp_path / "pipe.json")
    with pytest.raises(PlanError, match="is a folder, not a file"):
        read_plan(tmp_path)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(MAX_PLAN_BYTES + 1)
    with pytest.raises(PlanError, match="is larger than 64 MB"):
        read_plan(tmp_path / "huge.json")


def test_a_plan_for_everyone_has_the_hash_it_had_before_there_were_subjects() -> None:
    fields = json.loads(PLAN.canonical())
    assert not {"subjects", "earlier"} & set(fields)
    assert Plan.model_validate(fields) == PLAN


def test_subjects_decide_and_their_order_does_not() -> None:
    one, other = (PLAN.model_copy(update={"subjects": s}) for s in (("p-1",), ("p-2",)))
    assert len({PLAN.sha256, one.sha256, other.sha256}) == 3
    pairs = [Plan.model_validate(json.loads(broken(subjects=s))) for s in (["b", "a"], ["a", "b"])]
    assert pairs[0].sha256 == pairs[1].sha256
    assert pairs[0].subjects == ("a", "b")


def test_what_opens_a_text_decides_and_old_plans_keep_their_hash() -> None:
    assert PLAN.sha256 == "eede6e1afb36a8860609949c572e0be1b26b6eae38e6d5c17776d9e33b65c656"
    nothing, start = (PLAN.model_copy(update={"opening": o}) for o in ((), (0,)))
    assert len({PLAN.sha256, nothing.sha256, start.sha256}) == 3
    assert Plan.model_validate_json(start.canonical()) == start


def test_rewriting_decides_and_a_plan_without_it_keeps_its_hash() -> None:
    assert "rewrite" not in json.loads(PLAN.canonical())
    plain = PLAN.model_copy(update={"rewrite": Rewriting()})
    changes = ({}, {"teacher": "uniform"}, {"damping": 1e-3}, {"step": 1e-3}, {"budget": 0.1})
    changes = (*changes, {"most_steps": 2}, {"layers": (0, 1)}, {"likely": 0.1})
    plans = [plain.model_copy(update={"rewrite": Rewriting.model_validate(own)}) for own in changes]
    assert len({PLAN.sha256, *(own.sha256 for own in plans)}) == 1 + len(changes)
    for own in plans:
        assert Plan.model_validate_json(own.canonical()) == own


def test_when_all_weights_are_rewritten() -> None:
    repair, last = Repair(method="stranger"), Rewriting(last=True)
    for changes, when in (
        ({"rewrite": Rewriting(), "repair": repair}, "first"),
        ({"rewrite": last, "repair": repair}, "afterwards"),
        ({"rewrite": last, "repair": Repair(method="none")}, "first"),
        ({"rewrite": Rewriting(), "edits": (UnitEdit(unit="mlp.0.1", operation="rewrite"),)}, None),
        ({"rewrite": None}, None),
    ):
        assert PLAN.model_copy(update=changes).rewrites_all == when


def test_the_same_layers_are_the_same_plan() -> None:
    one, other = (Rewriting.model_validate({"layers": own}) for own in ([2, 0, 2], [0, 2]))
    assert one == other
    assert one.layers == (0, 2)


def test_a_plan_that_rewrites_round_trips(tmp_path: Path) -> None:
    fields = json.loads(broken(base=SOURCE.model_dump(), rewrite={"teacher": "base"}))
    fields["edits"] = [{"unit": "mlp.0.2", "operation": "rewrite"}]
    plan = Plan.model_validate(fields)
    write_plan(plan, tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == plan
    assert read_plan(tmp_path / "plan.json").sha256 == plan.sha256


def test_a_plan_that_only_rewrites_changes_something() -> None:
    nothing = PLAN.model_copy(update={"edits": (), "repair": Repair(method="none")})
    assert nothing.changes_nothing
    assert not nothing.model_copy(update={"rewrite": Rewriting()}).changes_nothing
