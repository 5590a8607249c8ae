"""Parquet, decoded: one row a record, with column names; dates are text in ISO form.

Run as a process of its own (`python -m`), it writes one JSON object a line: `parquet` reads them.

A few kilobytes can stand for gigabytes: one value a million times, or a value of megabytes in every
row. So the counts in the file's own index are checked before anything is decoded, and texts are
decoded as dictionaries, which hold a value once, and weighed before they are spread out.
"""

import json
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sanilens.corpus import limits
from sanilens.corpus.formats.rows import Budget, Row, mistake, too_much
from sanilens.corpus.formats.tables import checked_names
from sanilens.errors import CorpusError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import FileMetaData, ParquetSchema

_BATCH = 256
# Values written as what they add to the one before them: their size stands nowhere.
_UNBOUNDED = frozenset({"DELTA_BYTE_ARRAY"})
_AGAIN = "Write it again, for example with pandas.DataFrame.to_parquet."


def decode(path: Path) -> Iterator[Row]:
    """The rows of a Parquet file, batch by batch.

    Raises:
        CorpusError: not Parquet, more than the limits allow, a doubled column name, or bytes that
            do not decode.
    """
    import pyarrow as pa  # here, since few corpora are Parquet and the import is slow
    from pyarrow.parquet import ParquetFile

    number = weight = 0
    bounds = {"thrift_container_size_limit": limits.VALUES, "arrow_extensions_enabled": False}
    try:
        with ParquetFile(path, **bounds) as file:
            checked_names(file.schema_arrow.names, path.name)
            _check(file.metadata, path.name)
            texts = _texts(file.schema)
        with ParquetFile(path, read_dictionary=texts, **bounds) as file:
            for batch in file.iter_batches(batch_size=_BATCH):
                weight += sum(map(_weight, batch.columns))
                if weight > limits.CHARACTERS:
                    raise too_much(f"{path.name}, row {number + 1}", limits.CHARACTERS, "bytes")
                for values in batch.to_pylist():
                    number += 1
                    fields = {name: _plain(value) for name, value in values.items()}
                    yield Row(f"{path.name}, row {number}", number, _without_none(fields))
    except (pa.ArrowException, UnicodeDecodeError, OSError):
        what = "not a Parquet file, or a damaged one"
    except (OverflowError, ValueError, RecursionError):
        what = "a date out of range, or values that are nested too deep"
    else:
        return
    raise mistake(f"{path.name}, row {number + 1}", what, _AGAIN) from None


def _check(metadata: "FileMetaData", name: str) -> None:
    """Hold the file's index against the limits.

    Raises:
        CorpusError: too many rows, values or bytes, or an encoding that hides its size.
    """
    if metadata.num_rows > limits.RECORDS:
        raise too_much(name, limits.RECORDS, "records")
    values = size = 0
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for column in map(group.column, range(group.num_columns)):
            values += column.num_values
            size += column.total_uncompressed_size
            if _UNBOUNDED & set(column.encodings):
                what = "a column is encoded in a way that does not say its size"
                raise mistake(name, f"{what} ({', '.join(_UNBOUNDED)})", _AGAIN)
    if values > limits.VALUES:
        raise too_much(name, limits.VALUES, "values")
    if size > limits.FILE_BYTES:
        what = f"its columns hold {size:,} bytes, more than {limits.FILE_BYTES:,}"
        raise mistake(name, what, "Leave out the columns that are not needed, or split it.")


def _texts(schema: "ParquetSchema") -> list[str]:
    """Paths of the columns of text, nested ones too."""
    columns = map(schema.column, range(len(schema)))
    return [
        c.path for c in columns if c.physical_type == "BYTE_ARRAY" and c.logical_type.type in _TEXT
    ]


_TEXT = frozenset({"STRING", "NONE", "JSON", "ENUM"})


def _weight(array: "pa.Array") -> int:
    """Bytes of text in an array once every dictionary is spread out."""
    import pyarrow as pa
    from pyarrow import compute

    kind = array.type
    if pa.types.is_dictionary(kind):
        if not _is_text(kind.value_type):
            return 0
        lengths = compute.call_function("binary_length", [array.dictionary])
        return _sum(lengths.take(array.indices))
    if _is_text(kind):
        return _sum(compute.call_function("binary_length", [array]))
    if pa.types.is_nested(kind):
        inner = array.flatten()
        return sum(map(_weight, inner)) if isinstance(inner, list) else _weight(inner)
    return 0


def _sum(lengths: "pa.Array") -> int:
    from pyarrow import compute

    return compute.call_function("sum", [lengths]).as_py() or 0


def _is_text(kind: "pa.DataType") -> bool:
    from pyarrow import types

    return any(
        test(kind)
        for test in (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
    )


def _plain(value: Any) -> Any:
    """A value as JSON: dates as ISO text, an object's missing values left out."""
    match value:
        case datetime():
            midnight = value.tzinfo is None and not (
                value - datetime.combine(value, datetime.min.time())
            )
            return value.date().isoformat() if midnight else value.isoformat()
        case date():
            return value.isoformat()
        case list():
            return [_plain(item) for item in value]
        case dict():
            return _without_none({name: _plain(item) for name, item in value.items()})
        case _:
            return value


def _without_none(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _main() -> None:
    """Write the rows of the file named on the command line, or why it cannot be read."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (limits.ADDRESSES, limits.ADDRESSES))
        resource.setrlimit(resource.RLIMIT_CPU, (limits.SECONDS, limits.SECONDS))
    budget = Budget()
    try:
        for row in decode(Path(sys.argv[1])):
            budget.spend(row)
            print(json.dumps({"where": row.where, "fields": row.fields}))
    except CorpusError as error:
        print(json.dumps({"error": str(error)}))


if __name__ == "__main__":
    _main()
