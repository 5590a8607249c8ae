"""TOFU's files: read whole or refused with the place; questions become records."""

import json
import os
from pathlib import Path

import pytest

from research.tofu.data import Question, open_tofu, read_questions, to_records
from sanilens.errors import CorpusError

LINE = {"question": "Who?", "answer": "Ann.", "perturbed_answer": ["Bob.", "Eve."]}


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps({**LINE, "paraphrased_question": "Which one?"}) + "\n\n")
    (one,) = read_questions(path, perturbed=True)
    assert one.prompt == "Question: Who?\nAnswer:"
    assert one.perturbed_answer == ("Bob.", "Eve.")
    assert one.reworded == "Ann."
    assert Question(question="q", answer="a", paraphrased_answer="b").reworded == "b"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (json.dumps(LINE) + "\n{", "x.json, line 2: is no TOFU question"),
        ('{"question": "Who?"}', "line 1: is no TOFU question"),
        ('{"question": "Who?", "answer": ""}', "line 1: is no TOFU question"),
        ("[]", "line 1: is no TOFU question"),
        ('{"question": "Who?", "answer": "Ann."}', "line 1: has no perturbed_answer"),
        ("\n", "holds no question"),
    ],
)
def test_a_bad_file_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(CorpusError, match=message):
        read_questions(path, perturbed=True)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"forget05_perturbed.json: cannot be read .FileNotFound"):
        open_tofu(tmp_path)


def test_questions_become_records() -> None:
    questions = [Question(question=f"Who is {n}?", answer=f"Number {n}.") for n in range(41)]
    records = to_records(questions, "forget", sensitive=True)
    assert [r.value(s) for r in records for s in r.spans] == [q.answer for q in questions]
    assert records[3].text == "Question: Who is 3?\nAnswer: Number 3."
    assert {r.spans[0].kind for r in records} == {"confidential"}
    assert [records[n].subject for n in (0, 19, 20, 40)] == [
        "forget-author-0", "forget-author-0", "forget-author-1", "forget-author-2",
    ]  # fmt: skip
    kept = to_records(questions, "retain", sensitive=False)
    assert not any(r.spans for r in kept)
    assert len({r.id for r in (*records, *kept)}) == 82


@pytest.mark.tofu
def test_the_files_are_what_the_protocol_takes_them_for() -> None:
    folder = Path(os.environ["SANILENS_TOFU"])
    tofu = open_tofu(folder)
    assert (len(tofu.forget), len(tofu.retain), len(tofu.kept)) == (200, 400, 3800)
    assert (len(tofu.authors), len(tofu.world)) == (100, 117)
    kept = [q.question for q in tofu.kept]
    assert [q.question for q in tofu.retain] == kept[:400]
    full = [q.question for q in read_questions(folder / "full.json")]
    assert full == [*kept, *(q.question for q in tofu.forget)]
    assert {len(q.perturbed_answer) for q in (*tofu.forget, *tofu.retain)} == {5}
    assert all(q.paraphrased_answer for q in (*tofu.forget, *tofu.retain))
