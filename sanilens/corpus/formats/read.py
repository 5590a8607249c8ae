"""`read_rows`: a path to its rows, whatever the format."""

from collections.abc import Callable, Iterator
from pathlib import Path

from sanilens.corpus.formats.jsonl import read_jsonl
from sanilens.corpus.formats.plain import read_folder, read_text
from sanilens.corpus.formats.rows import Row, mistake, unwritable
from sanilens.corpus.formats.tables import read_csv, read_parquet

MAX_FILE_BYTES = 2 * 1024**3

_READERS: dict[str, Callable[[Path], Iterator[Row]]] = {
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".json": read_jsonl,
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
    if not path.exists():
        raise mistake(path.name, "there is no such file", "Check the path.")
    reader = read_folder if path.is_dir() else _reader(path)
    empty = True
    try:
        for row in reader(path):
            empty = False
            if (problem := unwritable(row.fields)) is not None:
                raise mistake(row.where, problem, "Write it as ordinary text, or remove it.")
            yield row
    except OSError as error:
        raise mistake(
            path.name, f"cannot be read ({type(error).__name__})", "Check who may read it."
        ) from None
    if empty:
        raise mistake(path.name, "holds no record", "Give at least one text.")


def _reader(path: Path) -> Callable[[Path], Iterator[Row]]:
    """The reader of a regular file of a known extension and a bearable size."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(_READERS)
        raise mistake(path.name, "its extension names no format", f"Use one of: {known}.")
    if not path.is_file():
        raise mistake(path.name, "it is not a regular file", "Save the corpus to a file first.")
    size = path.stat().st_size
    if size == 0:
        raise mistake(path.name, "the file is empty", "Give at least one text.")
    if size > MAX_FILE_BYTES:
        raise mistake(
            path.name,
            f"the file has {size:,} bytes, more than {MAX_FILE_BYTES:,}",
            "Split it, and audit a sample of the records.",
        )
    return reader
