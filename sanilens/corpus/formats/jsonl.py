"""JSON Lines: one object a line. Blank lines hold nothing and are passed over.

A .json file may be one array of objects instead, as annotation tools export it.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from sanilens.corpus import limits
from sanilens.corpus.formats.rows import Row, decoded_lines, mistake, parse_json

_REMEDY = (
    "Write one JSON object a line; from a file that is one array: jq -c '.[]' in.json > out.jsonl."
)


def read_jsonl(path: Path) -> Iterator[Row]:
    """The objects of a JSON Lines file, line by line.

    Raises:
        CorpusError: a line that is not Unicode text, not JSON, or not an object.
    """
    yield from _objects(path.name, decoded_lines(path))


def read_json(path: Path) -> Iterator[Row]:
    """The objects of a .json file: lines of JSON, or one array.

    Raises:
        CorpusError: as `read_jsonl`, and an array of more than `limits.ARRAY_BYTES`.
    """
    lines = decoded_lines(path)
    first = next(((n, line) for n, line in lines if line.strip()), None)
    if first is None:
        return
    if not first[1].lstrip().startswith("["):
        yield from _objects(path.name, chain([first], lines))
        return
    if path.stat().st_size > limits.ARRAY_BYTES:
        what = f"one array of more than {limits.ARRAY_BYTES:,} bytes"
        raise mistake(path.name, what, _REMEDY)
    whole = "".join(line for _, line in chain([first], lines))
    items = parse_json(whole, path.name, _REMEDY)
    if not isinstance(items, list):
        raise mistake(path.name, "the JSON is neither lines nor an array", _REMEDY)
    for number, item in enumerate(items, start=1):
        yield _row(item, f"{path.name}, entry {number}", number)


def _objects(name: str, lines: Iterator[tuple[int, str]]) -> Iterator[Row]:
    for number, line in lines:
        if line.strip():
            where = f"{name}, line {number}"
            yield _row(parse_json(line, where, _REMEDY), where, number)


def _row(fields: Any, where: str, number: int) -> Row:
    if not isinstance(fields, dict):
        raise mistake(where, "the JSON is not an object", _REMEDY)
    return Row(where, number, fields)
