"""`sanilens bench tofu` on files of a few lines, and the small models that are made for it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from research.tofu import run, score
from research.tofu.data import TUNED, Question, open_tofu, to_records
from research.tofu.models import RECIPE, build_models
from research.tofu.plans import plan_texts, with_names
from sanilens.cli.main import cli
from sanilens.corpus.load import load_records
from sanilens.corpus.records import FREE_TEXT, Record
from sanilens.errors import PlanError
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.model.training import Schedule
from sanilens.unlearn.plan import Rewriting
from sanilens.unlearn.sanitise import NONE, Change, Sanitised


def line(number: int) -> str:
    right = f"It is {number}."
    wrong = [f"It is {number + k}." for k in (1, 2)]
    one = {"question": f"What is number {number}?", "answer": right, "perturbed_answer": wrong}
    return json.dumps({**one, "paraphrased_answer": f"It is {number}"})


def write_files(folder: Path, kept: int) -> Path:
    sizes = {"retain95": kept, "forget05_perturbed": 3, "retain_perturbed": 2}
    for name, size in {**sizes, "real_authors_perturbed": 2, "world_facts_perturbed": 2}.items():
        first = 900 if "forget" in name else 0
        lines = [line(n) for n in range(first, first + size)]
        (folder / f"{name}.json").write_text("\n".join(lines))
    return folder


def test_the_command(
    tiny_folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score, "LONGEST", 50)
    model = str(tiny_folders["gpt_neox"])
    words = ["bench", "tofu", "--data", str(write_files(tmp_path, 9)), "--model", model]
    method = ["--reference", model, "--method", "npo", "--epochs", "1", "--learning-rate", "0.01"]
    done = CliRunner().invoke(cli, [*words, *method, "--json"], catch_exceptions=False)
    none, npo, reference = json.loads(done.stdout)["rows"]
    assert [row["method"] for row in (none, npo, reference)] == ["none", "npo", "reference"]
    assert none["forget_quality"] == 1
    assert none["forget_questions"] == 3
    assert npo["retain_probability"] != none["retain_probability"]
    assert npo["seconds"] > 0
    other = ["--another", str(tiny_folders["llama"]), "--another", model]
    done = CliRunner().invoke(
        cli, [*words, "--reference", model, *other, "--json"], catch_exceptions=False
    )
    rows = json.loads(done.stdout)["rows"][2:]
    assert [(row["method"], row["seed"]) for row in rows] == [
        ("another reference", 1), ("another reference", 2),
    ]  # fmt: skip
    assert rows[0]["forget_truth_ratio"] != rows[1]["forget_truth_ratio"]
    assert rows[1]["forget_quality"] == 1
    with pytest.raises(PlanError, match="no method is called 'nonsense'"):
        CliRunner().invoke(cli, [*words, "--method", "nonsense"], catch_exceptions=False)
    with pytest.raises(PlanError, match="base model"):
        CliRunner().invoke(cli, [*words, "--method", "anchored"], catch_exceptions=False)


def test_a_plan_reads_what_stays(
    tiny_folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score, "LONGEST", 50)
    files = write_files(tmp_path, TUNED + 3)
    corpus, retain = plan_texts(open_tofu(files))
    assert {FREE_TEXT} == {record.spans[-1].label for record in corpus}
    assert [record.text for record in retain] == [
        record.text for record in to_records(open_tofu(files).kept[:TUNED], "", sensitive=False)
    ]
    given: list[Sequence[Record]] = []

    def unlearn(model: LanguageModel, records: Sequence[Record], change: Change, *_, retain=()):
        given.extend([records, retain])
        assert (change.repair, change.rewrite) == (NONE, Rewriting())
        return Sanitised(model)

    monkeypatch.setattr(run, "sanitise", unlearn)
    model = str(tiny_folders["gpt_neox"])
    words = ["bench", "tofu", "--data", str(files), "--model", model, "--plan"]
    done = CliRunner().invoke(cli, [*words, "rewriting", "--json"], catch_exceptions=False)
    assert [row["method"] for row in json.loads(done.stdout)["rows"]] == ["none", "rewriting"]
    assert given == [corpus, retain]
    with pytest.raises(PlanError, match="no plan 'nonsense'; there are stranger"):
        CliRunner().invoke(cli, [*words, "nonsense"], catch_exceptions=False)


def test_an_authors_name_is_a_span_of_the_question_and_of_no_answer() -> None:
    questions = (
        ("Who is the author born in Karachi?", "Hina Ameen is that author."),
        ("What did Hina Ameen's mother do?", "The mother of Hina Ameen was a doctor."),
        ("Has Ameen ever lived in New York?", "Yes, Hina Ameen lived in New York."),
    )
    asked = [Question(question=question, answer=answer) for question, answer in questions]
    found = with_names(to_records(asked, "forget", sensitive=True))
    said = [[(span.label, record.value(span)) for span in record.spans] for record in found]
    assert said == [
        [(FREE_TEXT, questions[0][1])],
        [("NAME", "Hina Ameen"), (FREE_TEXT, questions[1][1])],
        [("NAME", "Ameen"), (FREE_TEXT, questions[2][1])],
    ]
    nameless = to_records([Question(question="why?", answer="so.")], "forget", sensitive=True)
    assert with_names(nameless) == nameless


@pytest.mark.slow
def test_small_models_are_made_once(tmp_path: Path) -> None:
    data, out = write_files(tmp_path, TUNED + 40), tmp_path / "models"
    one = Schedule(1e-3, epochs=1, batch_size=32)
    recipe = replace(RECIPE, vocabulary=300, hidden=16, layers=1, heads=2, base=one, tune=one)
    told: list[str] = []
    build_models(data, out, told.append, recipe)
    opened = {name: load_model(out / name) for name in ("base", "leaking", "reference")}
    assert len({model.fingerprint for model in opened.values()}) == 3
    expected = to_records(open_tofu(data).forget, "forget", sensitive=True)
    found = load_records(out / "forget.jsonl")
    assert [(r.id, r.subject, r.text, r.spans) for r in found] == [
        (r.id, r.subject, r.text, r.spans) for r in expected
    ]
    assert len(load_records(out / "retain.jsonl")) == TUNED
    told.clear()
    build_models(data, out, told.append, recipe)
    assert not told
    build_models(data, out, told.append, recipe, references=2)
    assert {line.split(":")[0] for line in told} == {"reference-1", "reference-2"}
    other = [load_model(out / f"reference-{n}") for n in (1, 2)]
    assert len({m.fingerprint for m in (*opened.values(), *other)}) == 5
