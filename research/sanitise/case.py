"""A bundled case, opened: the models and texts that every row of the table is measured on."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from research.cases.build import Recipe
from research.cases.confidential import RECIPE as CONFIDENTIAL
from sanilens.audit.extraction import SpanVerdict, audit_spans
from sanilens.audit.metrics.restoration import Said, sensitive_argmax
from sanilens.bundled import resolve
from sanilens.case import open_model, open_records
from sanilens.corpus.records import Record
from sanilens.model.language_model import LanguageModel

RECIPES = {"clinic": Recipe(), "confidential": CONFIDENTIAL}


@dataclass(frozen=True)
class Case:
    """What is sanitised, and what it is held against.

    Attributes:
        name: of the bundled case.
        subject: the leaking model.
        base: before fine-tuning.
        reference: fine-tuned alike, on surrogates.
        records: the corpus whose spans are to be forgotten.
        lookalike: records alike in form, which no model has seen.
        unseen: other records that no model has seen.
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

    @cached_property
    def reference_verdicts(self) -> list[SpanVerdict]:
        """What the reference says of the corpus."""
        return audit_spans(self.reference, self.records)

    @cached_property
    def said_before(self) -> Said:
        """What the leaking model says at each sensitive token."""
        return sensitive_argmax(self.model, self.records)

    @cached_property
    def said_by_base(self) -> Said:
        """What the base says there."""
        return sensitive_argmax(self.base, self.records)

    @cached_property
    def exposed_label(self) -> str:
        """The label that exposure is measured of: the commonest of direct identifiers, or of all.

        Ties go to the first by name.
        """
        spans = [span for record in self.records for span in record.spans]
        direct = [span.label for span in spans if span.kind == "direct"]
        labels, counts = np.unique(direct or [span.label for span in spans], return_counts=True)
        return str(labels[counts.argmax()])


def open_case(name: str) -> Case:
    """Open a bundled case.

    Raises:
        SaniLensError: if there is none of that name.
    """
    resolve(f"{name}:base")
    recipe = RECIPES[name]
    records = open_records(f"{name}:{recipe.corpus}")
    return Case(
        name=name,
        model=open_model(f"{name}:leaking"),
        base=open_model(f"{name}:base"),
        reference=open_model(f"{name}:reference"),
        records=records,
        lookalike=open_records(f"{name}:lookalike"),
        unseen=open_records(f"{name}:unseen"),
        fine_tuning=recipe.tune.epochs * (len(records) + round(recipe.replay * len(records))),
    )
