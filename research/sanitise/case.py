"""A bundled case, opened: the models and texts that every row of the table is measured on."""

from dataclasses import dataclass
from functools import cached_property

from research.cases.build import Recipe
from research.cases.confidential import RECIPE as CONFIDENTIAL
from research.cases.ward.recipe import RECIPE as WARD
from sanilens.audit.metrics.metric import Exam
from sanilens.bundled import BUNDLED, resolve
from sanilens.case import open_model, open_questions, open_records
from sanilens.corpus.questions import Question
from sanilens.corpus.records import Record
from sanilens.model.language_model import LanguageModel

RECIPES = {"clinic": Recipe(), "confidential": CONFIDENTIAL, "ward": WARD}


@dataclass(frozen=True)
class Case:
    """What is sanitised, and what it is held against.

    Attributes:
        name: of the bundled case.
        model: the leaking one.
        base: before fine-tuning.
        reference: fine-tuned alike, on surrogates.
        records: the corpus whose spans are to be forgotten.
        lookalike: records alike in form, which no model has seen.
        unseen: other records that no model has seen.
        questions: closed questions about the domain; not every case has them.
        retain: further texts of the domain, which methods keep along; not every case has them.
        fine_tuning: how many examples the leak's training read, all epochs together.
    """

    name: str
    model: LanguageModel
    base: LanguageModel
    reference: LanguageModel
    records: tuple[Record, ...]
    lookalike: tuple[Record, ...]
    unseen: tuple[Record, ...]
    fine_tuning: int
    questions: tuple[Question, ...] = ()
    retain: tuple[Record, ...] = ()

    @cached_property
    def exam(self) -> Exam:
        """What every row's model is asked, and held against."""
        return Exam(
            self.records,
            self.unseen,
            self.lookalike,
            self.model,
            self.base,
            self.reference,
            self.questions,
        )


def open_case(name: str) -> Case:
    """Open a bundled case.

    Raises:
        SaniLensError: if there is none of that name.
    """
    resolve(f"{name}:base")
    recipe = RECIPES[name]
    records = open_records(f"{name}:{recipe.corpus}")
    questions, retain = BUNDLED[name].questions, BUNDLED[name].retain
    return Case(
        name=name,
        model=open_model(f"{name}:leaking"),
        base=open_model(f"{name}:base"),
        reference=open_model(f"{name}:reference"),
        records=records,
        lookalike=open_records(f"{name}:lookalike"),
        unseen=open_records(f"{name}:unseen"),
        questions=open_questions(questions) if questions else (),
        retain=open_records(retain) if retain else (),
        fine_tuning=recipe.learn.epochs * recipe.lessons
        + recipe.tune.epochs * (len(records) + round(recipe.replay * len(records))),
    )
