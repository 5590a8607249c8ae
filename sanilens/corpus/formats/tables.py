"""CSV: one row a record, with column names. An empty cell is a missing value."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from sanilens.corpus import limits
from sanilens.corpus.formats.rows import Row, decoded_lines, mistake


def read_csv(path: Path) -> Iterator[Row]:
    """The rows of a CSV file with a header; a row's place is the line on which it begins.

    Raises:
        CorpusError: broken quoting, a ragged row, an empty or doubled column name.
    """
    csv.field_size_limit(max(csv.field_size_limit(), limits.CELL))
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
                f"broken CSV (a quote left open, or a cell over {limits.CELL:,} characters)",
                "Quote each text with double quotes, and double those inside it.",
            ) from None
        if cells is None:
            return
        if not cells:
            continue
        if header is None:
            if len(cells) == 1 and {";", "\t"} & set(cells[0]):
                raise mistake(where, "the header is one column", "Separate columns with commas.")
            header = checked_names(cells, where)
            continue
        if len(cells) != len(header):
            raise mistake(
                where,
                f"the row has {len(cells)} cells, the header {len(header)}",
                "Quote each text that holds a comma or a line break.",
            )
        yield Row(where, line, {n: cell for n, cell in zip(header, cells, strict=True) if cell})


def checked_names(names: Sequence[str], where: str) -> list[str]:
    """Column names, checked: none empty, none twice, and not too many.

    Raises:
        CorpusError: naming the fault, not the column.
    """
    if len(names) > limits.COLUMNS:
        what = f"{len(names):,} columns, more than {limits.COLUMNS:,}"
        raise mistake(where, what, "Leave out the columns that are not needed.")
    if not all(name.strip() for name in names):
        raise mistake(where, "a column has no name", "Name every column in the header.")
    if len(set(names)) < len(names):
        raise mistake(where, "two columns have the same name", "Give each its own name.")
    return list(names)
