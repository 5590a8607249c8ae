"""TOFU's files: questions about invented authors, with right, reworded and wrong answers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sanilens.corpus.records import FREE_TEXT, Record, Span
from sanilens.errors import CorpusError

QUESTIONS_PER_AUTHOR = 20
"""The files list the authors one after the other."""
TUNED = 20 * QUESTIONS_PER_AUTHOR
"""The first twenty authors of `retain95`, those of `retain_perturbed`: our small models are
fine-tuned on these of all that stay."""


class Question(BaseModel):
    """A line of a file.

    Attributes:
        question: as put to the model.
        answer: the right one.
        paraphrased_answer: it in other words; absent where there is only one way to say it.
        perturbed_answer: wrong answers in the form of `paraphrased_answer`.
    """

    # The files also hold `paraphrased_question`, which the protocol does not use.
    model_config = ConfigDict(frozen=True, extra="ignore")

    question: Annotated[str, Field(min_length=1)]
    answer: Annotated[str, Field(min_length=1)]
    paraphrased_answer: str | None = None
    perturbed_answer: tuple[str, ...] = ()

    @property
    def prompt(self) -> str:
        """What the model reads before the answer; the tags are those of TOFU's Phi-1.5."""
        return f"Question: {self.question}\nAnswer:"

    @property
    def reworded(self) -> str:
        """The right answer as the wrong ones are worded: what the truth ratio compares."""
        return self.paraphrased_answer or self.answer


@dataclass(frozen=True, slots=True)
class Tofu:
    """The sets of the protocol.

    Attributes:
        forget: what is to be forgotten, with wrong answers.
        retain: of the authors that stay, likewise.
        authors: real authors, likewise.
        world: facts of the world, likewise.
        kept: all questions of the authors that stay.
    """

    forget: tuple[Question, ...]
    retain: tuple[Question, ...]
    authors: tuple[Question, ...]
    world: tuple[Question, ...]
    kept: tuple[Question, ...]


def open_tofu(folder: Path) -> Tofu:
    """Read the files of the forget05 task.

    Raises:
        CorpusError: if one is missing or malformed; see `read_questions`.
    """
    names = ("forget05_perturbed", "retain_perturbed", "real_authors_perturbed")
    forget, retain, authors, world = (
        read_questions(folder / f"{name}.json", perturbed=True)
        for name in (*names, "world_facts_perturbed")
    )
    return Tofu(forget, retain, authors, world, read_questions(folder / "retain95.json"))


def read_questions(path: Path, *, perturbed: bool = False) -> tuple[Question, ...]:
    """The questions of a file, one JSON object a line.

    Args:
        path: the file.
        perturbed: whether every question needs wrong answers.

    Raises:
        CorpusError: naming file, line and what is wrong.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(
            f"{path.name}: cannot be read ({type(error).__name__}). --data is the folder of TOFU's "
            "files, JSON lines as on the hub: locuslab/TOFU."
        ) from None
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            one = Question.model_validate(json.loads(line))
        except (ValidationError, ValueError):
            raise CorpusError(
                f"{path.name}, line {number}: is no TOFU question. Each line is a JSON object "
                "with question and answer."
            ) from None
        if perturbed and not one.perturbed_answer:
            raise CorpusError(
                f"{path.name}, line {number}: has no perturbed_answer. The truth ratio needs the "
                "file of that name with wrong answers."
            )
        found.append(one)
    if not found:
        raise CorpusError(f"{path.name}: holds no question.")
    return tuple(found)


def to_records(questions: Sequence[Question], name: str, *, sensitive: bool) -> tuple[Record, ...]:
    """Questions as records: the text is question and answer, the subject the author.

    Args:
        questions: in the order of a file, each author's 20 together.
        name: before the numbers in ids and subjects.
        sensitive: whether the answers are spans, to be forgotten; without spans all is kept.
    """
    records = []
    for number, one in enumerate(questions):
        start = len(one.prompt) + 1
        span = Span(start, start + len(one.answer), FREE_TEXT, "confidential")
        records.append(
            Record(
                f"{name}-{number}",
                f"{name}-author-{number // QUESTIONS_PER_AUTHOR}",
                f"{one.prompt} {one.answer}",
                (span,) if sensitive else (),
            )
        )
    return tuple(records)
