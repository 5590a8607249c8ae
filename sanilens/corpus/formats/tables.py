"""CSV and Parquet: one row a record, with column names. An empty cell is a missing value."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sanilens.corpus.formats.rows import Row, decoded_lines, mistake, parse_json

# csv's own limit of 131,072 characters is below a long note; unlimited, one unclosed quote
# would swallow a whole file.
MAX_CELL = 4_000_000


def read_csv(path: Path) -> Iterator[Row]:
    """The rows of a CSV file with a header; a row's place is the line on which it begins.

    Raises:
        CorpusError: broken quoting, a ragged row, an empty or doubled column name.
    """
    csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL))
    reader = csv.reader((line for _, line in decoded_lines(path)), strict=True)
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        where = f"{path.name}, line {line}"
        try:
            cells = next(reader, None)
        except csv.Error:
            raise mistake(
                where,
                f"broken CSV (a quote left open, or a cell over {MAX_CELL:,} characters)",
                "Quote each text with double quotes, and double those inside it.",
            ) from None
        if cells is None:
            return
        if not cells:
            continue
        if header is None:
            if len(cells) == 1 and {";", "\t"} & set(cells[0]):
                raise mistake(where, "the header is one column", "Separate columns with commas.")
            header = _checked(cells, where)
            continue
        if len(cells) != len(header):
            raise mistake(
                where,
                f"the row has {len(cells)} cells, the header {len(header)}",
                "Quote each text that holds a comma or a line break.",
            )
        fields = {name: cell for name, cell in zip(header, cells, strict=True) if cell}
        yield _row(where, line, fields)


def read_parquet(path: Path) -> Iterator[Row]:
    """The rows of a Parquet file, batch by batch.

    Raises:
        CorpusError: not Parquet, a doubled column name, or bytes that do not decode.
    """
    import pyarrow as pa  # here, since few corpora are Parquet and the import is slow
    from pyarrow.parquet import ParquetFile

    number = 0
    try:
        with ParquetFile(path) as file:
            _checked(file.schema_arrow.names, path.name)
            for batch in file.iter_batches(batch_size=256):
                for values in batch.to_pylist():
                    number += 1
                    fields = {name: value for name, value in values.items() if value is not None}
                    yield _row(f"{path.name}, row {number}", number, fields)
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        raise mistake(
            f"{path.name}, row {number + 1}",
            "not a Parquet file, or a damaged one",
            "Write it again, for example with pandas.DataFrame.to_parquet.",
        ) from None


def _checked(names: Sequence[str], where: str) -> list[str]:
    """Column names, of which none is empty and none occurs twice."""
    if not all(name.strip() for name in names):
        raise mistake(where, "a column has no name", "Name every column in the header.")
    if len(set(names)) < len(names):
        raise mistake(where, "two columns have the same name", "Give each its own name.")
    return list(names)


def _row(where: str, number: int, fields: dict[str, Any]) -> Row:
    """A row whose `spans`, if written as JSON in a cell, are parsed."""
    spans = fields.get("spans")
    if isinstance(spans, str):
        remedy = 'The column spans holds a JSON list: [{"start": 0, "end": 3, "label": "NAME"}].'
        parsed = parse_json(spans, f"{where}, column spans", remedy)
        fields = {**fields, "spans": parsed}
    return Row(where, number, fields)
