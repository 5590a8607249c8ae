"""`sanilens indirect` and `sanilens mark`: what a corpus must not say, found and marked.

`indirect` finds terms tied to few subjects; `mark` marks a list of terms. Both can write the
corpus anew, with the spans; the file that was given stays.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from sanilens.case import open_records
from sanilens.cli.common import JsonOption, output, print_json
from sanilens.corpus.detection.gazetteer import fold
from sanilens.corpus.indirect import (
    Agreement,
    TermRow,
    TermSettings,
    agreement,
    mark_indirect,
    subject_terms,
)
from sanilens.corpus.load import load_records, save_corpus
from sanilens.corpus.terms import load_terms
from sanilens.errors import CorpusError

CorpusArgument = Annotated[str, typer.Argument(help="JSONL, CSV, Parquet, text, or clinic:notes.")]
OutOption = Annotated[Path | None, typer.Option(help="Write the corpus with these spans (JSONL).")]


def indirect(
    corpus: CorpusArgument,
    k: Annotated[
        int, typer.Option(min=1, help="A term that fewer subjects share is indirect.")
    ] = 2,
    label: Annotated[
        list[str] | None, typer.Option(help="Values of spans with this label are terms.")
    ] = None,
    gazetteer: Annotated[Path | None, typer.Option(help="A list whose entries are terms.")] = None,
    words: Annotated[
        int, typer.Option(min=0, help="Take runs of up to this many content words; 0: none.")
    ] = 1,
    records: Annotated[
        int, typer.Option(min=1, help="Ignore terms that stand in fewer records than this.")
    ] = 1,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Leave this term out; repeatable.")
    ] = None,
    include: Annotated[list[str] | None, typer.Option(help="Add this term; repeatable.")] = None,
    top: Annotated[int, typer.Option(min=1, help="Rows to print.")] = 40,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the terms that fewer than k subjects share: indirect identifiers."""
    listed = load_terms(gazetteer) if gazetteer else None
    settings = TermSettings(k, tuple(label or ()), listed, words, records)
    texts = open_records(corpus)
    rows = subject_terms(texts, settings)
    keys = _chosen(rows, exclude or [], include or [])
    found = agreement(texts, keys, settings)
    marked, spans = mark_indirect(texts, keys, settings)
    if out:
        save_corpus(marked, out)
    if as_json:
        print_json(
            {
                "k": k,
                "subjects": len({record.subject for record in texts}),
                "terms": len(rows),
                "indirect": len(keys),
                "spans_marked": spans,
                "agreement": _figures(found),
                "rows": [{**asdict(row), "indirect": row.key in keys} for row in rows],
            }
        )
        return
    output.print(_table(rows, keys, top))
    output.print(
        f"{len(keys):,} of {len(rows):,} terms are indirect at k = {k}; "
        f"{spans:,} spans beside those of the corpus" + (f", written to {out}." if out else ".")
    )
    if found.precision is not None and found.recall is not None:
        output.print(
            f"Against the corpus' own indirect labels: precision {found.precision:.1%} "
            f"(n {found.found:,}), recall {found.recall:.1%} (n {found.labelled:,})."
        )


def mark(
    corpus: Annotated[Path, typer.Argument(help="JSONL, CSV, Parquet or text.")],
    terms: Annotated[Path, typer.Option(help="The blacklist: one term a line.")],
    out: Annotated[Path, typer.Option(help="Write the marked corpus here (JSONL).")],
    as_json: JsonOption = False,
) -> None:
    """Mark every term of a list in a corpus, as spans that must not be given away."""
    listed = load_terms(terms)
    records = load_records(corpus, terms=listed)
    save_corpus(records, out)
    spans = sum(len(record.spans) for record in records)
    if as_json:
        print_json({"terms": len(listed), "records": len(records), "spans": spans})
        return
    output.print(f"{len(listed):,} terms, {spans:,} spans in {len(records):,} records: {out}")


def _chosen(rows: list[TermRow], exclude: list[str], include: list[str]) -> frozenset[str]:
    """Keys of the indirect terms, as the user corrected them.

    Raises:
        CorpusError: a term to exclude or include is none of the table's.
    """
    known = {row.key for row in rows}
    out, into = ({" ".join(fold(term).split()) for term in terms} for terms in (exclude, include))
    if missing := len((out | into) - known):
        raise CorpusError(
            f"{missing} of the terms to exclude or include do not occur in the corpus as terms. "
            "Write them as the table does."
        )
    return frozenset({row.key for row in rows if row.indirect} - out | into)


def _figures(found: Agreement) -> dict[str, float | int | None]:
    return {**asdict(found), "precision": found.precision, "recall": found.recall}


def _table(rows: list[TermRow], keys: frozenset[str], top: int) -> Table:
    table = Table(title="Terms of few subjects", title_justify="left")
    table.add_column("term")
    for name in ("subjects", "records", "occurrences"):
        table.add_column(name, justify="right")
    table.add_column("indirect")
    for row in rows[:top]:
        counts = (f"{n:,}" for n in (row.subjects, row.records, row.occurrences))
        table.add_row(row.term, *counts, "yes" if row.key in keys else "no")
    return table
