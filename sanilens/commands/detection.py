"""What commands share that detect spans: which pipeline, and what is said of it."""

from pathlib import Path
from typing import Annotated

import typer

from sanilens.commands.common import say
from sanilens.corpus.detect import Detector
from sanilens.corpus.expected import expectation, what_finds_names
from sanilens.corpus.ner import load_pipeline
from sanilens.corpus.patient_table import load_patient_table

NerOption = Annotated[
    str | None,
    typer.Option(
        "--ner",
        help="Pipeline that finds names where spans are not given: a folder (spaCy, or a Hugging "
        "Face token classifier) or an installed spaCy package; lists: none. An installed "
        "en_core_web_* is used by itself.",
    ),
]


def detector_for(ner: str | None, patient_table: Path | None = None) -> Detector:
    """The detector that the options ask for."""
    table = load_patient_table(patient_table) if patient_table else None
    if ner is None:
        return Detector(table)
    return Detector(table, "lists" if ner == "lists" else load_pipeline(ner))


def say_what_was_found(detector: Detector) -> None:
    """Where spans were detected and not given: by what, and what share of them to expect."""
    if not detector.texts:
        return
    pipeline = detector.pipeline
    name, table = pipeline.name if pipeline else None, detector.table is not None
    say(f"Spans of {detector.texts:,} texts were detected. {what_finds_names(name, table=table)}")
    say(expectation(name, table=table))
