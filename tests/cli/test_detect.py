"""`sanilens detect`, `bench detect`, and what finds spans where a command detects by itself."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from research.detection.measure import sentences
from research.detection.templates import DEVELOP
from sanilens.cli.main import cli
from sanilens.corpus.load import load_records
from sanilens.corpus.records import Record, Span
from sanilens.errors import SaniLensError
from sanilens.model.language_model import load_model
from tests.noise_codebook import saved

UNLISTED = "Then Xyrqu Blobb left."


def sanilens(*words: object) -> Result:
    return CliRunner().invoke(cli, [*map(str, words)], catch_exceptions=False)


def spans_of(path: Path) -> list[list[str]]:
    return [[record.value(span) for span in record.spans] for record in load_records(path)]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Texts without spans; the second has a name that no list knows."""
    path = tmp_path / "notes.jsonl"
    texts = ("MRN 4471203 seen today.", UNLISTED)
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return path


def test_what_is_found_is_written(corpus: Path, tmp_path: Path) -> None:
    done = sanilens("detect", "--corpus", corpus, "--out", tmp_path / "out.jsonl", "--ner", "lists")
    assert done.exit_code == 0
    assert spans_of(tmp_path / "out.jsonl") == [["4471203"], []]
    assert "2 of 2 texts" in done.stdout
    assert "Spans of 2 texts were detected." in done.stderr


def test_a_patient_table_finds_names_and_whose_they_are(corpus: Path, tmp_path: Path) -> None:
    (table := tmp_path / "patients.csv").write_text("subject,name\np-7,Xyrqu Blobb\n")
    out = tmp_path / "out.jsonl"
    words = ("detect", "--corpus", corpus, "--patient-table", table, "--ner", "lists")
    found = json.loads(sanilens(*words, "--out", out, "--json").stdout)
    assert (found["records"], found["detected"]) == (2, 2)
    assert found["spans"] == {"MRN": 1, "NAME": 1}
    assert spans_of(out) == [["4471203"], ["Xyrqu Blobb"]]
    assert [record.subject for record in load_records(out)] == ["r-000001", "p-7"]


def test_spans_that_are_given_stay(tmp_path: Path) -> None:
    (path := tmp_path / "own.jsonl").write_text('{"id": "r", "text": "MRN 4471203", "spans": []}\n')
    done = sanilens("detect", "--corpus", path, "--out", tmp_path / "out.jsonl")
    assert spans_of(tmp_path / "out.jsonl") == [[]]
    assert "nothing was detected" in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("detect", "--out", "out.jsonl", "--json"),
        ("locate", "--method", "random", "--no-cache", "--label", "NAME", "--json"),
        ("plan", "--unit", "mlp.0.1", "--repair", "none"),
    ],
    ids=lambda command: command[0],
)
def test_a_pipeline_finds_what_no_list_knows(
    command: tuple[str, ...],
    corpus: Path,
    rules: Path,
    tiny_folders: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    model = () if command[0] == "detect" else ("--model", tiny_folders["llama"])
    done = sanilens(*command, *model, "--corpus", corpus, "--ner", rules)
    assert done.exit_code == 0
    match command[0], json.loads(done.stdout):
        case "detect", found:
            assert found["spans"]["NAME"] == 1
        case "locate", found:
            assert found["targets"] == 1
        case "plan", plan:
            kept = load_records(Path(plan["corpus"]["source"]))
            assert [span.label for span in kept[1].spans] == ["NAME"]


@pytest.mark.parametrize(
    "command",
    [
        ("audit",),
        ("locate", "--method", "random", "--no-cache", "--label", "NAME"),
        ("codes", "find", "BOOK", "--label", "NAME"),
        ("plan", "--unit", "mlp.0.1", "--repair", "none", "--subject", "p-7"),
    ],
    ids=lambda command: command[0],
)
def test_a_patient_table_counts_in_every_command(
    command: tuple[str, ...], corpus: Path, tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    """Without it there is no such span, or no such subject; with it there is."""
    (table := tmp_path / "patients.csv").write_text("subject,name\np-7,Xyrqu Blobb\n")
    folder = tiny_folders["llama"]
    if "BOOK" in command:
        book = saved(load_model(folder), tmp_path / "book").path
        command = tuple(str(book) if word == "BOOK" else word for word in command)
    words = (*command, *(() if command[0] == "plan" else ("--json",)), "--model", folder)
    words = (*words, "--corpus", corpus, "--ner", "lists")
    without = CliRunner().invoke(cli, [str(word) for word in words])
    done = sanilens(*words, "--patient-table", table)
    assert done.exit_code == 0, done.output
    if command[0] == "audit":
        assert "NAME" not in json.loads(without.stdout)["by_label"]
        assert json.loads(done.stdout)["by_label"]["NAME"]["n"] == 1
    else:
        assert isinstance(without.exception, SaniLensError)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bench over a few sentences and two notes."""
    some = tuple(sentences(DEVELOP, 1, 0))[:8]
    notes = (
        Record("n-1", "p-1", "Seen Ana Ruiz.", (Span(5, 13, "NAME", "direct"),)),
        Record("n-2", "p-2", "MRN 4471203.", (Span(4, 11, "MRN", "direct"),)),
    )
    monkeypatch.setattr("research.detection.measure.sentences", lambda half, times, seed: some)
    monkeypatch.setattr("research.commands.bench.open_records", lambda source: notes)


@pytest.mark.usefixtures("few")
def test_the_bench_prints_recall_and_precision(rules: Path, tmp_path: Path) -> None:
    expected = tmp_path / "expected.json"
    done = sanilens("bench", "detect", "--ner", rules, "--expected", expected, "--json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["notes"]["lists"]["NAME"]["recall"] == 1
    assert {"lists", "en_pipeline"} <= found["notes"].keys()
    means = json.loads(expected.read_text())["means"]
    assert means.keys() == {"lists", "en_pipeline"}
    shown = sanilens("bench", "detect").stdout
    assert "notes, n 2: lists" in shown
    assert "recall" in shown
