"""Plain text: a file of sections, or a folder of files.

A line of three or more dashes, or a form feed, ends a section; a file without either is one
section. In a folder every .txt file is one whole text.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from sanilens.corpus import limits
from sanilens.corpus.formats.rows import Row, decoded_lines, mistake, too_much
from sanilens.errors import CorpusError

_SEPARATOR = re.compile(r"-{3,}[ \t]*\n?")


def read_text(path: Path) -> Iterator[Row]:
    """The sections of a text file; a blank section is no record.

    Raises:
        CorpusError: the file is not Unicode text, holds a NUL character, or a section is too long.
    """
    number = 0
    for section in _sections(_lines(path), path.name):
        if text := section.strip():
            number += 1
            yield Row(f"{path.name}, section {number}", number, {"text": text})


def read_folder(folder: Path) -> Iterator[Row]:
    """One row for each .txt file, in order of name; the name is kept under the key `file`.

    The name is not an id: clinics name files after patients, and ids stand in run folders.

    Raises:
        CorpusError: the folder holds something else, no .txt file, or an unusable one.
    """
    files = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    texts = [file for file in files if file.suffix.lower() == ".txt" and file.is_file()]
    if not texts:
        raise mistake(
            folder.name, "a folder without a .txt file", "Give a file, or a folder of .txt files."
        )
    if others := len(files) - len(texts):
        raise mistake(
            folder.name, f"{others} entries are not .txt files", "Move them to another folder."
        )
    if len(texts) > limits.RECORDS:
        raise too_much(folder.name, limits.RECORDS, "records")
    for number, file in enumerate(texts, start=1):
        if file.stat().st_size > 4 * limits.TEXT:
            raise _too_long(file.name)
        text = "".join(_lines(file)).strip()
        yield Row(file.name, number, {"text": text, "file": file.name})


def _sections(lines: Iterable[str], where: str) -> Iterator[str]:
    """The lines cut at separators, as a stream.

    Raises:
        CorpusError: a section is longer than a record's text may be.
    """
    held, length = list[str](), 0
    for line in lines:
        pieces = ["", ""] if _SEPARATOR.fullmatch(line) else line.split("\f")
        for number, piece in enumerate(pieces):
            if number:
                yield "".join(held)
                held, length = [], 0
            held.append(piece)
            length += len(piece)
            if length > limits.TEXT:
                raise _too_long(where)
    yield "".join(held)


def _too_long(where: str) -> CorpusError:
    what = f"the text is longer than {limits.TEXT:,} characters"
    return mistake(where, what, "End each text with a line of dashes.")


def _lines(path: Path) -> Iterator[str]:
    """A file's lines with Unix line ends."""
    return (line.replace("\r\n", "\n") for _, line in decoded_lines(path))
