"""`read_rows`: the rows of a path, whatever its format."""

from collections.abc import Callable, Iterator
from pathlib import Path

from sanilens.corpus import limits
from sanilens.corpus.formats.jsonl import read_json, read_jsonl
from sanilens.corpus.formats.parquet import read_parquet
from sanilens.corpus.formats.plain import read_folder, read_text
from sanilens.corpus.formats.rows import Budget, Row, mistake
from sanilens.corpus.formats.tables import read_csv

_READERS: dict[str, Callable[[Path], Iterator[Row]]] = {
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".json": read_json,
    ".csv": read_csv,
    ".parquet": read_parquet,
    ".txt": read_text,
}


def read_rows(path: Path) -> Iterator[Row]:
    """Every record of a file, or of a folder of .txt files, as a stream.

    Raises:
        CorpusError: the file is missing, empty, too large, unreadable or malformed; names the
            file, the place in it and the remedy, never a value.
    """
    budget = Budget()
    try:
        if not path.exists():
            raise mistake(path.name, "there is no such file", "Check the path.")
        reader = read_folder if path.is_dir() else _reader(path)
        for row in reader(path):
            budget.spend(row)
            yield row
    except OSError as error:
        raise mistake(
            path.name, f"cannot be read ({type(error).__name__})", "Check who may read it."
        ) from None
    if not budget.rows:
        raise mistake(path.name, "holds no record", "Give at least one text.")


def _reader(path: Path) -> Callable[[Path], Iterator[Row]]:
    """The reader for a regular file with a known extension and a bearable size."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(_READERS)
        raise mistake(path.name, "its extension names no format", f"Use one of: {known}.")
    if not path.is_file():
        raise mistake(path.name, "it is not a regular file", "Save the corpus to a file first.")
    size = path.stat().st_size
    if size == 0:
        raise mistake(path.name, "the file is empty", "Give at least one text.")
    if size > limits.FILE_BYTES:
        raise mistake(
            path.name,
            f"the file has {size:,} bytes, more than {limits.FILE_BYTES:,}",
            "Split it, and audit a sample of the records.",
        )
    return reader
