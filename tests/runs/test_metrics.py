"""A plan's metrics are measured of every arm; a new one stands in every table by itself."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sanilens.audit.methods_table import MethodRow, lines
from sanilens.audit.metrics.metric import Metric
from sanilens.cli.compare import arms_table
from sanilens.cli.main import cli
from sanilens.runs.arms import load_arms
from sanilens.runs.comparison import load_comparison
from sanilens.runs.execute import execute
from sanilens.runs.folder import RunFolder
from sanilens.ui.bench.table import bench_frame, figures, table_markup, views
from sanilens.ui.compare.outcome import further_table
from sanilens.unlearn.plan import AuditSettings, Plan


def test_a_plan_that_names_no_metric_keeps_its_hash(tiny_plan: Plan) -> None:
    assert "metrics" not in tiny_plan.canonical()
    fields = json.loads(tiny_plan.model_dump_json())
    assert fields["audit"].pop("metrics") == []
    assert Plan.model_validate(fields).sha256 == tiny_plan.sha256
    named = AuditSettings(metrics=("restored", "sampled", "extraction", "sampled"))
    assert named.metrics == ("sampled", "restored")  # one order, and the usual ones go unsaid
    with_them = tiny_plan.model_copy(update={"audit": named})
    assert with_them.sha256 != tiny_plan.sha256
    with pytest.raises(ValueError, match="no metric is called 'fame'"):
        AuditSettings(metrics=("fame",))


def test_a_new_metric_stands_in_a_run_and_in_every_table(
    tiny_plan: Plan, toy: Metric, tmp_path: Path
) -> None:
    plan = tiny_plan.model_copy(update={"audit": AuditSettings(metrics=("sampled", "toy"))})
    run = RunFolder(tmp_path / "run")
    execute(plan, run.root)
    arms = load_arms(run.arms)
    spans = sum(row.n for row in arms["after"].by_label.values())
    assert arms["after"].figure("toy") >= spans > 0
    assert 0 <= arms["after"].figure("sampled") <= 1
    # Look-alikes are another exam: what a plan names is about its own corpus.
    assert "toy" not in arms["lookalike"].metrics

    printed = CliRunner().invoke(cli, ["compare", str(run.root), "--json"]).stdout
    told = json.loads(printed)[str(run.root)]["arms"]
    assert told["after"]["toy"] == arms["after"].figure("toy")
    assert toy.title in [column.header for column in arms_table(arms).columns]

    found = load_comparison(run)
    assert [metric.name for metric in found.further] == ["sampled", "toy"]
    assert "toy" in found.table().columns
    page = str(further_table(found))
    assert toy.title in page
    assert f"{arms['after'].figure('toy'):.3f}" in page
    assert "Look-alikes" not in page  # neither was asked of them

    table = lines(
        MethodRow(
            method="npo", group="baseline", seed=seed, figures=arms["after"], seconds=1, cost=1
        )
        for seed in range(2)
    )
    assert figures()["toy"].meaning == toy.meaning
    assert toy.title in str(table_markup(table, views()["all"]))
    assert bench_frame(table)["toy"].tolist() == [arms["after"].figure("toy")]


def test_a_run_without_metrics_says_nothing_of_them(tiny_plan: Plan, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    execute(tiny_plan, run.root)
    fields = json.loads((run.arms / "after.json").read_bytes())
    assert fields.keys() == {
        "arm", "extraction", "near_misses", "by_label", "by_subject", "repeated",
        "perplexity_unseen", "knowledge_kept", "perplexity_neutral", "seconds",
    }  # fmt: skip
    found = load_comparison(run)
    assert found.further == []
    assert "not measured" not in str(found.table())
