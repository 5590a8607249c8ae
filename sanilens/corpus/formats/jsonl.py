"""JSON Lines: one object a line. Blank lines hold nothing and are passed over."""

from collections.abc import Iterator
from pathlib import Path

from sanilens.corpus.formats.rows import Row, decoded_lines, mistake, parse_json

_REMEDY = (
    "Write one JSON object a line; from a file that is one array: jq -c '.[]' in.json > out.jsonl."
)


def read_jsonl(path: Path) -> Iterator[Row]:
    """The objects of a JSON Lines file, line by line.

    Raises:
        CorpusError: a line that is not UTF-8, not JSON, or not an object.
    """
    for number, line in decoded_lines(path):
        if not line.strip():
            continue
        where = f"{path.name}, line {number}"
        fields = parse_json(line, where, _REMEDY)
        if not isinstance(fields, dict):
            raise mistake(where, "the JSON is not an object", _REMEDY)
        yield Row(where, number, fields)
