"""What commands share: options, progress on standard error, one JSON object on standard output."""

import json
import math
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic import TypeAdapter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from sanilens.atomic import write_text
from sanilens.audit.opening import find_opening
from sanilens.audit.summary import RateRow
from sanilens.corpus.detection.detector import Detector
from sanilens.corpus.detection.expected import expectation, what_finds_names
from sanilens.corpus.detection.ner import load_pipeline
from sanilens.corpus.detection.patient_table import load_patient_table
from sanilens.corpus.records import Record
from sanilens.inert import inert, inert_json
from sanilens.model.language_model import LanguageModel
from sanilens.notices import heard
from sanilens.progress import Progress
from sanilens.runs.jobs import PROGRESS_VARIABLE, JobProgress

ModelOption = Annotated[
    str,
    typer.Option("--model", help="Model folder, hub:owner/name, or a bundled one: ward:leaking."),
]
CorpusOption = Annotated[
    str, typer.Option("--corpus", help="JSONL, CSV, Parquet, text, or ward:notes.")
]
ControlOption = Annotated[
    str | None, typer.Option("--control", help="Look-alike records, never trained on.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
SeedOption = Annotated[int, typer.Option("--seed", min=0)]
Case = Literal["ward", "clinic", "confidential"]
CaseOption = Annotated[Case, typer.Option("--case", help="Which of the bundled cases.")]

_TENTH = 10
_ANYTHING: TypeAdapter[Any] = TypeAdapter(Any)


class _Plain(Console):
    """Prints text as text: a subject's or a label's name is no markup and steers no terminal."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False)

    def render_str(self, text: str, **how: Any) -> Text:
        """Every string comes by here: lines, and the cells and titles of tables."""
        return super().render_str(inert(text), **how)


errors = _Plain(stderr=True)
output = _Plain()


def print_json(value: Any) -> None:
    """One object, on standard output; what could not be measured (NaN) is null.

    Infinity, for which JSON has no number, is the word: it was measured.
    """
    plain = _finite(_ANYTHING.dump_python(_with_notices(value)))
    typer.echo(inert_json(json.dumps(plain, indent=1, ensure_ascii=False, default=str)))


def _with_notices(value: Any) -> Any:
    """An object with what the command was told while loading under `notices`, if anything."""
    if not (notices := heard()):
        return value
    return {**_ANYTHING.dump_python(value), "notices": notices}


def _finite(value: Any) -> Any:
    match value:
        case dict():
            return {str(key): _finite(own) for key, own in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_finite(own) for own in value]
        case float() if math.isnan(value):
            return None
        case float() if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
    return value


def say(text: str) -> None:
    """A line for the person who watches, on standard error."""
    errors.print(text, highlight=False)


def hold_out(records: Sequence[Record]) -> tuple[list[Record], list[Record]]:
    """Records to train on, and every tenth, from the first on, to judge on instead."""
    trained = [record for number, record in enumerate(records) if number % _TENTH]
    return trained, list(records[::_TENTH])


@contextmanager
def progress(title: str) -> Iterator[Progress]:
    """A progress bar with the time left; silent where standard error is no terminal.

    Kept in a file too, where the app started this process as a job.
    """
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    started, file = time.monotonic(), os.environ.get(PROGRESS_VARIABLE)
    with Bar(*columns, TimeRemainingColumn(), console=errors, transient=True) as bar:
        task = bar.add_task(title, total=None)

        def show(done: int, of: int, note: str = "", /) -> None:
            stage = f"{title}, {note}" if note else title
            bar.update(task, completed=done, total=of, description=stage)
            if file:
                told = JobProgress(stage, done, of, time.monotonic() - started)
                write_text(Path(file), json.dumps(asdict(told)))

        yield show


def rate_cells(row: RateRow) -> tuple[str, str, str]:
    """`said / n`, rate and interval for a table."""
    if row.rate is None:
        return "–", "–", "not measured"
    interval = f"[{row.low:.1%}, {row.high:.1%}]"
    return f"{row.hits} / {row.n}", f"{row.rate:.1%}", interval


def rate_table(title: str, rows: dict[str, RateRow], first: str) -> Table:
    """Rates with n and 95 % intervals."""
    table = Table(title=title, title_justify="left")
    table.add_column(first)
    for name in ("extracted", "rate", "95 % interval"):
        table.add_column(name, justify="right")
    for name, row in rows.items():
        table.add_row(name, *rate_cells(row))
    return table


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


def as_trained(model: LanguageModel, records: Sequence[Record]) -> LanguageModel:
    """The model, reading texts as it was trained to; says so where its tokenizer does not."""
    opening = find_opening(model, records)
    if opening.changed:
        say(opening.sentence)
    return opening.of(model)
