"""Closed questions on their way: a case, a plan with its hash, a run, its tables."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sanilens.bundled import Sources
from sanilens.case import open_case, open_planned
from sanilens.cli.compare import arms_table
from sanilens.cli.main import cli
from sanilens.errors import PlanError
from sanilens.runs.arms import load_arms
from sanilens.runs.comparison import load_comparison
from sanilens.runs.execute import execute
from sanilens.runs.folder import RunFolder
from sanilens.runs.planning import Wishes, build_plan
from sanilens.unlearn.choose import NoUnits
from sanilens.unlearn.plan import Plan, Repair


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "questions.jsonl"
    rows = [
        {"id": f"q-{n}", "prompt": f"Day {n}:", "answer": "home", "distractors": ["ward", "phone"]}
        for n in range(6)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def sources(tiny_plan: Plan, questions: Path) -> Sources:
    assert tiny_plan.base is not None
    assert tiny_plan.unseen is not None
    return Sources(
        tiny_plan.model.source,
        tiny_plan.corpus.source,
        base=tiny_plan.base.source,
        unseen=tiny_plan.unseen.source,
        questions=str(questions),
    )


WISHES = Wishes(units=NoUnits(), repair=Repair(method="masked", epochs=1), controls=False)


def test_a_plan_without_questions_keeps_its_hash(tiny_plan: Plan) -> None:
    assert "questions" not in tiny_plan.canonical()
    fields = json.loads(tiny_plan.model_dump_json())
    assert fields.pop("questions") is None
    assert Plan.model_validate(fields).sha256 == tiny_plan.sha256


def test_a_run_asks_every_arm(sources: Sources, questions: Path, tmp_path: Path) -> None:
    case = open_case(sources)
    assert len(case.questions) == 6
    assert case.key != open_case(Sources(sources.model, sources.corpus)).key
    plan = build_plan(case, WISHES)
    run = RunFolder(tmp_path / "run")
    execute(plan, run.root)
    arms = load_arms(run.arms)
    for arm in arms.values():
        table = arm.metrics["facts_kept"]
        assert isinstance(table, dict)
        assert table["1 of 3"].n == 6
    assert "facts kept, %" in [column.header for column in arms_table(arms).columns]
    assert "facts_kept" in load_comparison(run).table().columns
    kept = arms["after"].knowledge_kept
    assert kept is not None
    assert kept.against == "leaking"

    questions.write_text(questions.read_text().replace("home", "soon"))
    with pytest.raises(PlanError, match=r"questions: questions\.jsonl has changed"):
        open_planned(plan)


def test_the_terminal_plans_the_same(sources: Sources) -> None:
    words = ["plan", "--model", sources.model, "--corpus", sources.corpus]
    words += ["--base", str(sources.base), "--unseen", str(sources.unseen)]
    words += ["--questions", str(sources.questions), "--no-edits", "--repair", "masked"]
    words += ["--epochs", "1", "--no-controls"]
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    typed = Plan.model_validate_json(done.stdout)
    assert typed.questions == build_plan(open_case(sources), WISHES).questions
