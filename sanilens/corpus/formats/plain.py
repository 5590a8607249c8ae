"""Plain text: a file of sections, or a folder of files.

A line of three or more dashes, or a form feed, ends a section; a file without either is one
section. In a folder each .txt file is one text, whole.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from sanilens.corpus.formats.rows import Row, decoded_lines, mistake

_SEPARATOR = re.compile(r"^-{3,}[ \t]*$\n?|\f", re.MULTILINE)


def read_text(path: Path) -> Iterator[Row]:
    """The sections of a text file; a blank section is no record.

    Raises:
        CorpusError: the file is not UTF-8 or holds a NUL character.
    """
    sections = (section.strip() for section in _SEPARATOR.split(_whole(path)))
    for number, section in enumerate((text for text in sections if text), start=1):
        yield Row(f"{path.name}, section {number}", number, {"text": section})


def read_folder(folder: Path) -> Iterator[Row]:
    """One row for each .txt file, in order of name; the name is kept under the key `file`.

    The name is no id: clinics name files after patients, and ids stand in run folders.

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
    for number, file in enumerate(texts, start=1):
        yield Row(file.name, number, {"text": _whole(file).strip(), "file": file.name})


def _whole(path: Path) -> str:
    """A file's text with Unix line ends."""
    return "".join(line for _, line in decoded_lines(path)).replace("\r\n", "\n")
