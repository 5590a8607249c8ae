"""`sanilens detect`: find what is sensitive in texts that come without spans, and save it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from sanilens.bundled import resolve
from sanilens.cli.common import (
    CorpusOption,
    JsonOption,
    NerOption,
    detector_for,
    output,
    print_json,
    say,
    say_what_was_found,
)
from sanilens.corpus.detection.expected import expected_for
from sanilens.corpus.load import load_records, save_corpus
from sanilens.corpus.records import label_counts


def detect(
    corpus: CorpusOption,
    out: Annotated[Path, typer.Option(help="JSONL of the records with their spans.")],
    patient_table: Annotated[Path | None, typer.Option(help="Names and numbers to find.")] = None,
    ner: NerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Detect spans where a corpus gives none, and report how many of them to expect found."""
    detector = detector_for(ner, patient_table)
    records = load_records(Path(resolve(corpus)), detector=detector)
    save_corpus(records, out)
    pipeline = detector.pipeline
    measured = expected_for(pipeline.name if pipeline else None)
    counts = label_counts(records)
    if as_json:
        print_json(
            {
                "records": len(records),
                "detected": detector.texts,
                "pipeline": pipeline.name if pipeline else None,
                "spans": {count.label: count.spans for count in counts},
                "expected": measured.model_dump() if measured else None,
            }
        )
        return
    table = Table(title=f"{detector.texts:,} of {len(records):,} texts", title_justify="left")
    for name in ("label", "spans", "values", "expected recall", "measured on"):
        table.add_column(name, justify="left" if name == "label" else "right")
    for count in counts:
        row = measured.labels.get(count.label) if measured and detector.texts else None
        share = f"{row.recall:.0%}" if row and row.recall is not None else "not measured"
        table.add_row(
            count.label, f"{count.spans:,}", f"{count.values:,}", share, f"{row.n:,}" if row else ""
        )
    output.print(table)
    if not detector.texts:
        say("Every record gave its spans: nothing was detected.")
    say_what_was_found(detector)
