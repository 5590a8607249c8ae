"""What every reader shares: `Row`, the error with a place in it, decoded lines, plain values.

No message holds a value of the file: it may be a patient's name.
"""

import io
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from sanilens.corpus import limits
from sanilens.errors import CorpusError

_SURROGATE = re.compile("[\ud800-\udfff]")
_BOM = b"\xef\xbb\xbf"
# Byte order marks of what is not UTF-8; UTF-32's begins like UTF-16's, so it comes first.
_WIDE = {
    b"\xff\xfe\0\0": "UTF-32",
    b"\0\0\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


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
    """The lines of a text file with their numbers from 1, ends kept; read as a stream.

    The file is UTF-8, or UTF-16 or UTF-32 where its byte order mark says so. Lines end at `\\n`
    alone: a text may hold the other characters that `str.splitlines` cuts at.

    Raises:
        CorpusError: bytes that do not decode, a NUL character, a line or a file that is too long.
    """
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        wide = next((name for mark, name in _WIDE.items() if start.startswith(mark)), None)
        lines = _wide_lines(file, path.name, wide) if wide else _utf8_lines(file, path.name)
        for number, line in enumerate(lines, start=1):
            where = f"{path.name}, line {number}"
            if number > limits.LINES:
                raise mistake(
                    where, f"the file has more than {limits.LINES:,} lines", "Split the file."
                )
            if "\0" in line:
                raise mistake(
                    where,
                    "the line holds a NUL character",
                    "Remove it, or save the file as UTF-8 if it is UTF-16: "
                    "iconv -f UTF-16LE -t UTF-8 old > new.",
                )
            yield number, line


def _utf8_lines(file: BinaryIO, name: str) -> Iterator[str]:
    offset = number = 0
    while raw := file.readline(limits.LINE_BYTES + 1):
        number += 1
        if len(raw) > limits.LINE_BYTES:
            raise _too_long(f"{name}, line {number}")
        yield _decoded(raw, f"{name}, line {number}", offset)
        offset += len(raw)


def _decoded(raw: bytes, where: str, offset: int) -> str:
    """One line as text, without the byte order mark at the file's start."""
    try:
        return raw.decode("utf-8-sig" if offset == 0 else "utf-8")
    except UnicodeDecodeError as error:
        skipped = len(_BOM) if offset == 0 and raw.startswith(_BOM) else 0
        raise mistake(
            where,
            f"the file is not UTF-8 (first at byte {offset + skipped + error.start})",
            "Save it as UTF-8, for example: iconv -f WINDOWS-1252 -t UTF-8 old > new.",
        ) from None


def _wide_lines(file: BinaryIO, name: str, encoding: str) -> Iterator[str]:
    """Lines of a file whose byte order mark names its encoding."""
    number, most = 1, limits.LINE_BYTES // 4
    with io.TextIOWrapper(file, encoding, newline="\n") as text:
        try:
            while line := text.readline(most + 1):
                if len(line) > most:
                    raise _too_long(f"{name}, line {number}")
                yield line
                number += 1
        except UnicodeError:
            raise mistake(
                f"{name}, line {number}",
                f"the file begins as {encoding} and goes on as something else",
                "Save it as UTF-8.",
            ) from None


def _too_long(where: str) -> CorpusError:
    what = f"the line is longer than {limits.LINE_BYTES:,} bytes"
    return mistake(where, what, "Write one record a line.")


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


@dataclass(slots=True)
class Budget:
    """How much the rows of a file hold so far, against the limits."""

    rows: int = 0
    values: int = 0
    characters: int = 0

    def spend(self, row: Row) -> None:
        """Count a row.

        Raises:
            CorpusError: a value that could not be written as UTF-8 JSON and read back, or more
                in all than the limits allow.
        """
        self.rows += 1
        pending: list[tuple[Any, int]] = [(row.fields, 0)]
        while pending:
            item, depth = pending.pop()
            self.values += 1
            if isinstance(item, str):
                self.characters += len(item)
            if (problem := _unwritable(item, depth)) is not None:
                raise mistake(row.where, problem, "Write it as ordinary text, or remove it.")
            if isinstance(item, list):
                pending += [(inner, depth + 1) for inner in item]
            elif isinstance(item, dict):
                pending += [(inner, depth + 1) for pair in item.items() for inner in pair]
        for count, most, unit in (
            (self.rows, limits.RECORDS, "records"),
            (self.values, limits.VALUES, "values"),
            (self.characters, limits.CHARACTERS, "characters"),
        ):
            if count > most:
                raise too_much(row.where, most, unit)


def too_much(where: str, most: int, unit: str) -> CorpusError:
    """The message for a file that exceeds a limit."""
    return mistake(
        where,
        f"the file holds more than {most:,} {unit}",
        "Split it, and audit a sample of the records.",
    )


def _unwritable(item: Any, depth: int) -> str | None:
    """Why a value could not be written as UTF-8 JSON and read back; None if it could."""
    if depth > limits.DEPTH:
        return "values are nested too deep"
    match item:
        case None | bool() | int() | list() | dict():
            return None
        case float():
            return None if math.isfinite(item) else "a number is NaN or infinite"
        case str():
            # A lone surrogate is legal in JSON, but in no UTF-8 text; tokenizers die on it.
            half = "a string holds half a surrogate pair (\\ud800 to \\udfff)"
            return half if _SURROGATE.search(item) else None
        case _:
            return f"a value of type {type(item).__name__} has no place in JSON"
