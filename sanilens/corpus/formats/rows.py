"""What every reader shares: `Row`, the error with a place in it, decoded lines, plain values.

No message holds a value of the file: it may be a patient's name.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sanilens.errors import CorpusError

# Far above any clinical note; without a bound a hostile file is read into memory as one line.
MAX_LINE_BYTES = 64 * 1024 * 1024
# The longest id or subject, which stand in tables, file names and URLs.
MAX_NAME = 128
# Nothing sensible nests deeper, and Python's own JSON writer gives up at about 1,000 levels.
MAX_DEPTH = 64

_SURROGATE = re.compile("[\ud800-\udfff]")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a file: its place as a message names it, its number from 1, its values."""

    where: str
    number: int
    fields: dict[str, Any]


def mistake(where: str, what: str, remedy: str) -> CorpusError:
    """The one form of every message: place, what is wrong, how to mend it."""
    return CorpusError(f"{where}: {what}. {remedy}")


def decoded_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 file with their numbers from 1, ends kept; read as a stream.

    Lines end at `\\n` alone: a text may hold the other characters that `str.splitlines` cuts at.

    Raises:
        CorpusError: bytes that are not UTF-8, a NUL character, a line beyond `MAX_LINE_BYTES`.
    """
    offset = 0
    with path.open("rb") as file:
        number = 0
        while raw := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            where = f"{path.name}, line {number}"
            if len(raw) > MAX_LINE_BYTES:
                raise mistake(
                    where,
                    f"the line is longer than {MAX_LINE_BYTES:,} bytes",
                    "Write one record a line.",
                )
            yield number, _decoded(raw, where, offset)
            offset += len(raw)


def _decoded(raw: bytes, where: str, offset: int) -> str:
    """One line as text; a byte order mark at the file's start is no part of it."""
    try:
        line = raw.decode("utf-8-sig" if offset == 0 else "utf-8")
    except UnicodeDecodeError as error:
        skipped = len(_BOM) if offset == 0 and raw.startswith(_BOM) else 0
        raise mistake(
            where,
            f"the file is not UTF-8 (first at byte {offset + skipped + error.start})",
            "Save it as UTF-8, for example: iconv -f WINDOWS-1252 -t UTF-8 old > new.",
        ) from None
    if "\0" in line:
        raise mistake(
            where,
            "the line holds a NUL character",
            "Remove it, or save the file as UTF-8 if it is UTF-16.",
        )
    return line


def parse_json(text: str, where: str, remedy: str) -> Any:
    """One JSON value, in which no key of an object occurs twice.

    Raises:
        CorpusError: not JSON, a doubled key, nesting too deep, a number too long.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        what = f"not valid JSON at column {error.colno}"
    except RecursionError:
        what = "the JSON is nested too deep"
    except ValueError as error:  # `_unique`, or an integer of thousands of digits
        what = "a key occurs twice" if error.args == (_TWICE,) else "a number has too many digits"
    raise mistake(where, what, remedy)


_TWICE = "key occurs twice"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Python would keep the last of two equal keys and drop the first silently."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError(_TWICE)
    return fields


def unwritable(value: Any) -> str | None:
    """Why a value could not be written as UTF-8 JSON and read back; None if it could."""
    pending: list[tuple[Any, int]] = [(value, 0)]
    while pending:
        item, depth = pending.pop()
        if depth > MAX_DEPTH:
            return "values are nested too deep"
        match item:
            case None | bool() | int():
                pass
            case float():
                if not math.isfinite(item):
                    return "a number is NaN or infinite"
            case str():
                # A lone surrogate is legal in JSON, but in no UTF-8 text; tokenizers die on it.
                if _SURROGATE.search(item):
                    return "a string holds half a surrogate pair (\\ud800 to \\udfff)"
            case list():
                pending += [(inner, depth + 1) for inner in item]
            case dict():
                pending += [(inner, depth + 1) for pair in item.items() for inner in pair]
            case _:
                return f"a value of type {type(item).__name__} has no place in JSON"
    return None
