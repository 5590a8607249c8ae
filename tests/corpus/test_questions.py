"""Closed questions: what a file may hold, and that no message says what it holds."""

import json
from pathlib import Path
from typing import Any

import pytest

from sanilens.corpus import limits
from sanilens.corpus.questions import Question, load_questions, questions_fingerprint
from sanilens.errors import CorpusError

GOOD: dict[str, Any] = {
    "id": "q-1", "prompt": "Treated for gout with", "answer": "colchicine",
    "distractors": ["insulin", "codeine"],
}  # fmt: skip


def written(folder: Path, *rows: Any) -> Path:
    path = folder / "questions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_questions_are_read_in_order_and_named_by_their_content(tmp_path: Path) -> None:
    second = {**GOOD, "id": "q-2", "prompt": "Sent home on "}
    found = load_questions(written(tmp_path, GOOD, second))
    assert found[0] == Question(
        "q-1", "Treated for gout with", "colchicine", ("insulin", "codeine")
    )
    assert found[0].endings == (" colchicine", " insulin", " codeine")
    assert found[1].endings == ("colchicine", "insulin", "codeine")
    assert questions_fingerprint(found) == questions_fingerprint(load_questions(
        written(tmp_path, GOOD, second)
    ))  # fmt: skip
    other = load_questions(written(tmp_path, second, GOOD))
    assert questions_fingerprint(found) != questions_fingerprint(other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompt": " "}, "`prompt` is missing, blank, too long or of another type"),
        ({"answer": 3}, "`answer` is"),
        ({"distractors": []}, "`distractors` is"),
        ({"distractors": "insulin"}, "`distractors` is"),
        ({"distractors": ["colchicine "]}, "two endings are the same"),
        ({"distractors": [f"Ruiz {n}" for n in range(limits.DISTRACTORS + 1)]}, "`distractors` is"),
        ({"id": "Ruiz" * limits.NAME}, "`id` is"),
        ({"prompt": "Ruiz" * limits.QUESTION}, "`prompt` is"),
        ({"prompt": "\ud800"}, "half a surrogate pair"),
        ({"Ana Ruiz": 1}, "has a key that questions do not have"),
    ],
)
def test_a_wrong_one_is_named_by_its_line_alone(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    wrong = {**GOOD, "id": "Ruiz-2", **change}
    with pytest.raises(CorpusError, match=r"questions\.jsonl, line 2") as error:
        load_questions(written(tmp_path, GOOD, wrong))
    assert message in str(error.value)
    assert "Ruiz" not in str(error.value)


def test_files_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CorpusError, match="no such file"):
        load_questions(tmp_path / "absent.jsonl")
    (tmp_path / "q.csv").write_text("id,prompt\n")
    with pytest.raises(CorpusError, match=r"a \.jsonl or \.json file"):
        load_questions(tmp_path / "q.csv")
    with pytest.raises(CorpusError, match=r"its id is that of questions\.jsonl, line 1"):
        load_questions(written(tmp_path, GOOD, GOOD))
    missing = {name: value for name, value in GOOD.items() if name != "answer"}
    with pytest.raises(CorpusError, match="`answer` is missing"):
        load_questions(written(tmp_path, missing))
    monkeypatch.setattr(limits, "QUESTIONS", 1)
    with pytest.raises(CorpusError, match="more than 1 questions"):
        load_questions(written(tmp_path, GOOD, {**GOOD, "id": "q-2"}))
