"""The public API: what a notebook does, and that importing it loads nothing heavy."""

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

import sanilens
from sanilens.audit.summary import memory
from sanilens.inspect.locate.scores import UnitScores
from sanilens.unlearn.whatif import KL
from tests.ui.tiny_case import make_case


def test_importing_loads_nothing_heavy() -> None:
    code = "import sanilens, sys; print(*sorted(m.partition('.')[0] for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "transformers", "pandas", "numpy", "pydantic", "streamlit", "typer", "spacy"}
    assert not heavy & {*done.stdout.split()}


def test_every_name_is_there_and_is_documented() -> None:
    for name in sanilens.__all__:
        assert getattr(sanilens, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sanilens.nothing  # noqa: B018


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> sanilens.Case:
    sources = make_case(tmp_path_factory.mktemp("api"))
    return sanilens.open_case(**asdict(sources))


def test_ten_lines_from_a_case_to_before_and_after(case: sanilens.Case, tmp_path: Path) -> None:
    audit = case.audit()
    (subject, *_) = sorted({r.subject for r in case.corpus.records if r.subject and r.spans})
    located = case.locate("gradient-activation", subject=subject)
    plan = case.suggest_plan(controls=False)
    run = sanilens.run(plan, tmp_path / "run1")
    table = run.compare().table()

    assert {*table.columns} >= {"arm", "direct", "perplexity, unseen"}
    assert "Before" in {*table["arm"]}
    counted = memory(audit.verdicts)
    assert f"{sum(v.extracted for v in counted)}" in repr(audit)
    assert "<table" in audit._repr_html_()
    assert isinstance(located.scores, UnitScores)
    assert len(located.top(5)) == 5
    assert located.top(5)["score"].is_monotonic_decreasing
    assert (run.model / "config.json").is_file()
    assert sanilens.compare(tmp_path / "run1").table().equals(table)


def test_what_if_is_the_model_under_the_edits(case: sanilens.Case) -> None:
    found = sanilens.what_if(case, case.suggest_plan("located"))
    assert found.before.figure(KL) == 0
    assert found.after.figure(KL) > 0
    with pytest.raises(sanilens.SaniLensError, match="edits no unit"):
        sanilens.what_if(case, case.suggest_plan())


@pytest.mark.parametrize(
    ("preset", "lack"),
    [("person", "name the subject"), ("codes", "train one"), ("nothing", "there is no preset")],
)
def test_a_preset_says_what_it_lacks(case: sanilens.Case, preset: str, lack: str) -> None:
    with pytest.raises(sanilens.SaniLensError, match=lack):
        case.suggest_plan(preset)


def test_a_case_needs_a_corpus() -> None:
    with pytest.raises(sanilens.SaniLensError, match="give a corpus"):
        sanilens.open_case("somewhere")
