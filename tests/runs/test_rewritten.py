"""Runs of plans that rewrite: their arms, their events, kills, and who is deleted instead."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from sanilens.case import Case, open_model, open_planned, open_records
from sanilens.corpus.records import Record
from sanilens.model.language_model import LanguageModel
from sanilens.model.lessons import Lesson
from sanilens.runs import execute as module
from sanilens.runs.arms import load_arms
from sanilens.runs.events import nonsense, read_events
from sanilens.runs.execute import execute
from sanilens.runs.folder import RunFolder
from sanilens.runs.integrity import check
from sanilens.runs.treatments import instead_of, treatments
from sanilens.unlearn import rewriting
from sanilens.unlearn.plan import NO_REPAIR, Operation, Plan, Repair, Rewriting, UnitEdit
from sanilens.unlearn.sanitise import Change, sanitise
from tests.conftest import record
from tests.runs.exported import same, weights

NONE = Repair(method=NO_REPAIR)
SHORT = Repair(epochs=1, batch_size=4, learning_rate=1e-3)


class Killed(BaseException):
    """Stands for a kill: nothing catches it."""


def edits(operation: Operation, *units: str) -> tuple[UnitEdit, ...]:
    return tuple(UnitEdit(unit=unit, operation=operation) for unit in units)


def changed(plan: Plan, **fields: Any) -> Plan:
    return Plan.model_validate(plan.model_copy(update=fields).model_dump())


def names(plan: Plan) -> list[str]:
    return sorted({r.subject for r in open_records(plan.corpus.source) if r.spans})


@pytest.fixture(scope="module")
def rewriting_plan(tiny_plan: Plan) -> Plan:
    """One person's request: all weights rewritten, then a short repair, with all controls."""
    return changed(
        tiny_plan,
        subjects=(names(tiny_plan)[1],),
        edits=(),
        repair=SHORT,
        rewrite=Rewriting(damping=1e-5, most_steps=3),
        controls=True,
    )


def never_quiet(taught: Sequence[Lesson], _likely: float) -> dict[str, float]:
    return {span: -math.inf for lesson in taught for span in lesson.spans}


@pytest.fixture(scope="module", autouse=True)
def curvature(tmp_path_factory: pytest.TempPathFactory):
    """Curvature is kept beside the runs, not in the user's own folder; all preparing is heard."""
    folder = tmp_path_factory.mktemp("curvature")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "curvature_folder", lambda: folder)
        patch.setattr(module, "_HEARD_EVERY", -1.0)
        # The tiny model is untrained and says nothing: it is to forget that all the same.
        patch.setattr(rewriting, "_allowed", never_quiet)
        yield folder


@pytest.fixture(scope="module")
def whole(rewriting_plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("rewritten") / "run"
    execute(rewriting_plan, folder)
    return RunFolder(folder)


# ---- arms


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"repair": NONE}, ["after", "another_subject"]),
        ({}, ["after", "repair_only", "another_subject", "edits_only"]),
        (
            {"edits": edits("rewrite", "mlp.0.3", "mlp.1.4")},
            ["after", "repair_only", "random_units", "another_subject", "edits_only"],
        ),
        ({"subjects": ()}, ["after", "repair_only", "edits_only"]),
        ({"subjects": (), "rewrite": Rewriting(last=True)}, ["after"]),
        ({"controls": False}, ["after"]),
    ],
)
def test_a_plan_that_rewrites_has_these_arms(
    rewriting_plan: Plan, model: LanguageModel, fields: dict[str, Any], expected: list[str]
) -> None:
    plan = changed(rewriting_plan, **fields)
    others = instead_of(plan, open_records(plan.corpus.source))
    arms = treatments(plan, model.sites, others=others)
    assert list(arms) == expected
    for name, own in arms.items():
        assert own.rewrite == (name != "repair_only")
        assert own.repair == (plan.repair.trains and name != "edits_only")
        assert own.subjects == (others if name == "another_subject" else ())
    if drawn := arms.get("random_units"):
        assert len(drawn.edits) == len(plan.edits)
        assert not {e.unit for e in drawn.edits} & {e.unit for e in plan.edits}
        assert {e.operation for e in drawn.edits} == {"rewrite"}


def test_where_no_unit_is_free_all_weights_are_not_the_control(
    rewriting_plan: Plan, model: LanguageModel
) -> None:
    every = edits("rewrite", *(f"head.0.{head}" for head in range(model.sites.n_heads)))
    arms = treatments(changed(rewriting_plan, edits=every), model.sites)
    assert arms["random_units"].edits == ()
    assert not arms["random_units"].rewrite


def people(count: int) -> tuple[Record, ...]:
    own = [
        record(f"Number {n}4471 here.", (f"{n}4471", "MRN"), id=f"r-{n}", subject=f"p-{n}")
        for n in range(count)
    ]
    return (*own, record("Nothing of anybody.", id="r-x", subject="p-x"))


@pytest.mark.parametrize("seed", range(30))
def test_who_is_deleted_instead_is_somebody_else(rewriting_plan: Plan, seed: int) -> None:
    plan = changed(rewriting_plan, subjects=("p-1", "p-3"), earlier=("p-0",), seed=seed)
    found = instead_of(plan, people(8))
    assert len(found) == 2 == len({*found})
    assert {*found} <= {"p-2", "p-4", "p-5", "p-6", "p-7"}
    assert found == instead_of(plan, people(8)[::-1])


def test_who_is_deleted_instead_is_decided_by_the_seed(rewriting_plan: Plan) -> None:
    plans = [changed(rewriting_plan, subjects=("p-1",), seed=seed) for seed in range(20)]
    assert len({instead_of(plan, people(8)) for plan in plans}) > 3
    few = changed(rewriting_plan, subjects=("p-1", "p-2"))
    assert instead_of(few, people(4)) == ("p-0", "p-3")
    assert instead_of(few, people(3)[1:]) == ()
    assert instead_of(changed(rewriting_plan, subjects=()), people(8)) == ()


# ---- a whole run


def test_all_arms_are_measured(whole: RunFolder) -> None:
    arms = ["before", "after", "repair_only", "another_subject", "edits_only"]
    assert {*load_arms(whole.arms)} == {*arms, "base", "lookalike"}
    assert check(whole).verified


def test_its_events_make_sense(whole: RunFolder, rewriting_plan: Plan) -> None:
    events = read_events(whole.events_file)
    assert [nonsense(event) for event in events] == [None] * len(events)
    told = [e for e in events if e["event"] == "rewritten"]
    assert {e["arm"] for e in told} == {"after", "another_subject", "edits_only"}
    assert any(e["event"] == "preparing" and e["done"] <= e["of"] for e in events)
    settings = rewriting_plan.rewrite
    assert settings is not None
    for event in told:
        assert 1 <= event["step"] <= event["of"] == settings.most_steps
        assert event["measured"] <= 2 * settings.step
        assert event["harm"] <= settings.budget
    own, control = (
        [{k: v for k, v in e.items() if k not in ("n", "time", "hash", "arm")}
         for e in told if e["arm"] == arm]
        for arm in ("after", "edits_only")
    )  # fmt: skip
    assert own == control, "the same steps before and without the repair"


@pytest.mark.parametrize(
    "field",
    [{"extracted": 9, "asked": 3}, {"harm": float("nan")}, {"step": -1}, {"subject": "p-1"}],
)
def test_a_rewritten_event_that_makes_no_sense_is_told(
    whole: RunFolder, field: dict[str, Any]
) -> None:
    event = next(e for e in read_events(whole.events_file) if e["event"] == "rewritten")
    assert nonsense(event) is None
    assert nonsense(event | field)


def test_nobody_stands_in_its_log_or_in_the_curvature(
    whole: RunFolder, rewriting_plan: Plan, curvature: Path
) -> None:
    records = open_records(rewriting_plan.corpus.source)
    words = {*names(rewriting_plan), *(r.value(s) for r in records for s in r.spans)}
    files = [whole.events_file, *curvature.rglob("*")]
    assert len(files) > 1
    for content in (path.read_bytes() for path in files if path.is_file()):
        assert not [w for w in words if len(w) > 4 and w.encode() in content]


def opened(plan: Plan) -> tuple[Case, Change]:
    return open_planned(plan), Change(
        plan.edits, plan.repair, plan.keep, plan.rewrite, plan.seed, plan.subjects, plan.earlier
    )


def of_model(model: LanguageModel) -> Sequence[torch.Tensor]:
    return [*model.module.parameters()]


def test_the_result_is_what_sanitise_makes(whole: RunFolder, rewriting_plan: Plan) -> None:
    case, change = opened(rewriting_plan)
    made = sanitise(
        case.model, case.corpus.records, change, case.base,
        retain=case.retain, folder=module.curvature_folder(),
    )  # fmt: skip
    found = open_model(str(whole.model))
    for mine, theirs in zip(of_model(found), of_model(made.model), strict=True):
        assert torch.equal(mine, theirs)


@pytest.mark.slow
@pytest.mark.parametrize(
    "moment",
    [
        ("rewritten", "after"),
        *(
            pytest.param(own, marks=pytest.mark.slow)
            for own in (
                ("preparing", "after"),
                ("edited", "after"),
                ("step", "after"),
                ("rewritten", "another_subject"),
                ("preparing", "another_subject"),
                ("step", "another_subject"),
            )
        ),
    ],
    ids="-".join,
)
def test_killed_while_it_rewrites_it_ends_with_the_same_weights(
    whole: RunFolder, rewriting_plan: Plan, tmp_path: Path, moment: tuple[str, str]
) -> None:
    def die(happened: dict[str, Any]) -> None:
        if (happened["event"], happened.get("arm")) == moment:
            raise Killed

    folder = tmp_path / "run"
    with pytest.raises(Killed):
        execute(rewriting_plan, folder, die)
    execute(rewriting_plan, folder)
    run = RunFolder(folder)
    assert same(weights(run), weights(whole))
    assert check(run).verified
    for name, own in load_arms(whole.arms).items():
        mine = load_arms(run.arms)[name]
        assert mine.model_copy(update={"seconds": own.seconds}) == own


def test_chosen_units_lie_in_the_weights(rewriting_plan: Plan, tmp_path: Path) -> None:
    """Not in hooks: what is exported has them, and the log says so."""
    own = edits("rewrite", *(f"mlp.1.{i}" for i in range(20)))
    plan = changed(rewriting_plan, edits=own, repair=NONE, controls=False)
    execute(plan, tmp_path / "run")
    run = RunFolder(tmp_path / "run")
    events = read_events(run.events_file)
    (edited,) = [e for e in events if e["event"] == "edited"]
    (exported,) = [e for e in events if e["event"] == "exported"]
    assert (edited["units"], edited["hook_only"], exported["hook_only"]) == (20, 0, 0)
    before, after = (
        load_file(Path(folder) / "model.safetensors") for folder in (plan.model.source, run.model)
    )
    off = {name for name in before if not torch.equal(before[name], after[name])}
    assert off
    assert all(name.startswith("gpt_neox.layers.1.mlp.") for name in off)


@pytest.mark.slow
def test_after_the_repair_what_that_leaves_is_rewritten(
    rewriting_plan: Plan, tmp_path: Path
) -> None:
    """A run and `sanilens.unlearn.sanitise` agree bit for bit, and the order makes a difference."""
    last = rewriting_plan.rewrite
    assert last
    last = last.model_copy(update={"last": True})
    plan = changed(rewriting_plan, rewrite=last, controls=False)
    execute(plan, tmp_path / "run")
    events = [e["event"] for e in read_events(RunFolder(tmp_path / "run").events_file)]
    assert events.index("rewritten") > max(i for i, e in enumerate(events) if e == "step")
    case = open_planned(plan)

    def by(rewrite: Rewriting) -> dict[str, torch.Tensor]:
        change = Change(repair=plan.repair, rewrite=rewrite, seed=plan.seed, subjects=plan.subjects)
        made = sanitise(case.model, case.corpus.records, change, case.base, retain=case.retain)
        return {name: own.detach() for name, own in made.model.module.named_parameters()}

    written = load_file(RunFolder(tmp_path / "run").model / "model.safetensors")
    mine, first = by(last), by(last.model_copy(update={"last": False}))
    assert all(torch.equal(own, mine[name]) for name, own in written.items() if name in mine)
    assert any(not torch.equal(own, first[name]) for name, own in mine.items())


def test_nothing_is_rewritten_under_an_adapter(rewriting_plan: Plan) -> None:
    with pytest.raises(ValueError, match="grun trains an adapter"):
        changed(rewriting_plan, repair=Repair(method="grun"), rewrite=Rewriting(last=True))


@pytest.mark.slow
def test_texts_kept_along_go_into_the_keep_set(
    rewriting_plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Sequence[Record]] = []
    prepare = module.prepare_rewriting

    def noted(*args: Any, **named: Any) -> Any:
        seen.append(named["further"])
        return prepare(*args, **named)

    monkeypatch.setattr(module, "prepare_rewriting", noted)
    unseen = rewriting_plan.unseen
    plan = changed(rewriting_plan, retain=unseen, unseen=None, repair=NONE, controls=False)
    execute(plan, tmp_path / "run")
    assert unseen is not None
    assert [tuple(own) for own in seen] == [open_records(unseen.source)]
