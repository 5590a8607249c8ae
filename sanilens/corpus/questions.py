"""Closed questions: the beginning of a sentence, its right ending, and wrong ones.

One JSON object a line, `{"id", "prompt", "answer", "distractors": [...]}`. They ask what
fine-tuning should have taught and everybody may know, such as which drug a condition is treated
with; nothing about a person.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from sanilens.corpus import limits
from sanilens.corpus.formats import Row, read_rows
from sanilens.corpus.formats.rows import mistake

_REMEDY = (
    "Write one JSON object a line: a string `id`, a string `prompt`, a string `answer`, and a list "
    f"`distractors` of 1 to {limits.DISTRACTORS} other strings; none of them blank."
)
_Text = Annotated[str, StringConstraints(pattern=r"\S", max_length=limits.QUESTION)]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and the endings to choose from: the answer is right, distractors are wrong."""

    id: str
    prompt: str
    answer: str
    distractors: tuple[str, ...]

    @property
    def endings(self) -> tuple[str, ...]:
        """All endings, the right one first, each with the space that parts it from the prompt."""
        space = "" if self.prompt[-1].isspace() else " "
        return tuple(
            each if each[0].isspace() else space + each for each in (self.answer, *self.distractors)
        )


class _QuestionRow(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", hide_input_in_errors=True)

    id: Annotated[str, StringConstraints(pattern=r"\S", max_length=limits.NAME)]
    prompt: _Text
    answer: _Text
    distractors: Annotated[list[_Text], Field(min_length=1, max_length=limits.DISTRACTORS)]


def load_questions(path: Path) -> tuple[Question, ...]:
    """The questions of a .jsonl or .json file.

    Raises:
        CorpusError: naming file, line and remedy, never what stands there.
    """
    if path.suffix.lower() not in (".jsonl", ".json"):
        raise mistake(path.name, "questions are a .jsonl or .json file", _REMEDY)
    questions: list[Question] = []
    first_use: dict[str, str] = {}
    for row in read_rows(path):
        if len(questions) == limits.QUESTIONS:
            what = f"the file has more than {limits.QUESTIONS:,} questions"
            raise mistake(row.where, what, "Ask fewer.")
        question = _question(row)
        if (earlier := first_use.setdefault(question.id, row.where)) != row.where:
            what = f"its id is that of {earlier}"
            raise mistake(row.where, what, "Give each question an id of its own.")
        questions.append(question)
    return tuple(questions)


def questions_fingerprint(questions: Sequence[Question]) -> str:
    """SHA-256 of their canonical JSON, a line each: the same questions, the same name."""
    lines = (
        json.dumps(asdict(each), sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n"
        for each in questions
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _question(row: Row) -> Question:
    try:
        given = _QuestionRow.model_validate(row.fields)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        if first["type"] == "extra_forbidden":  # the key may be anything: it is not named
            raise mistake(row.where, "has a key that questions do not have", _REMEDY) from None
        what = f"`{first['loc'][0]}` is missing, blank, too long or of another type"
        raise mistake(row.where, what, _REMEDY) from None
    choices = [each.strip() for each in (given.answer, *given.distractors)]
    if len(set(choices)) < len(choices):
        raise mistake(row.where, "two endings are the same", "Make each distractor another one.")
    return Question(given.id, given.prompt, given.answer, tuple(given.distractors))
