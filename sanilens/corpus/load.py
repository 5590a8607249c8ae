"""`load_records`: read a user's file into records, or say in one message what to mend.

Nothing is skipped silently, and no message holds a value from the file. A notice
(`sanilens.notices`) tells what is read differently from how it is written. Where a record gives no
spans they are detected; an explicit empty list means that it has none. With a blacklist (`terms`)
nothing is detected: the list says what must not be said.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.functional_validators import AfterValidator
from pydantic_core import PydanticCustomError

from sanilens.atomic import write_file
from sanilens.corpus import limits
from sanilens.corpus.columns import Columns
from sanilens.corpus.detection.detector import Detector
from sanilens.corpus.detection.patient_table import PatientTable
from sanilens.corpus.formats import Row, read_rows
from sanilens.corpus.formats.rows import mistake
from sanilens.corpus.pseudonyms import without_telling_ids
from sanilens.corpus.records import KINDS, Record, record_fields
from sanilens.corpus.remarks import Remarks
from sanilens.corpus.spans import SpanRow, checked_spans
from sanilens.corpus.terms import Terms, mark_terms
from sanilens.errors import CorpusError
from sanilens.notices import tell


def load_records(
    path: Path,
    *,
    patient_table: PatientTable | None = None,
    terms: Terms | None = None,
    detector: Detector | None = None,
) -> tuple[Record, ...]:
    """The records of one file (JSON Lines, CSV, Parquet, text) or of a folder of .txt files.

    Args:
        path: the file or folder.
        patient_table: names and numbers to find where a record gives no spans.
        terms: a blacklist, marked in every record beside the spans that it gives; without a
            patient table nothing else is detected.
        detector: what finds spans instead, with a table of its own; if absent, the patient table,
            the lists of names, and the pipeline that is installed, if there is one.

    Raises:
        CorpusError: naming file, line and remedy.
    """
    remarks = Remarks(path.name)
    records = tuple(_records(path, terms, detector or Detector(patient_table), remarks))
    remarks.tell()
    records, replaced = without_telling_ids(records)
    if replaced:
        tell(
            f"{path.name}: {replaced:,} ids hold a name or number that the texts mark as "
            "sensitive. They are replaced (person-…, record-…), since ids stand in logs and "
            "reports; look a person up by name on the page Plan."
        )
    return records


def _records(
    path: Path, terms: Terms | None, detector: Detector, remarks: Remarks
) -> Iterator[Record]:
    """Records one by one, their ids unique."""
    table = detector.table
    first_use: dict[str, str] = {}
    columns = Columns(remarks)
    wanted = detector if terms is None or table is not None else None
    for row in read_rows(path):
        record = _record(row, columns, table, remarks, wanted)
        if (earlier := first_use.setdefault(record.id, row.where)) != row.where:
            raise mistake(
                row.where, f"its id is that of {earlier}", "Give each record an id of its own."
            )
        yield mark_terms(record, terms) if terms else record


def _text(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "is blank")
    if "\0" in text:
        raise PydanticCustomError("nul", "holds a NUL character")
    if len(text) > limits.TEXT:
        raise PydanticCustomError(
            "long", "has {n} characters, more than {most}", {"n": len(text), "most": limits.TEXT}
        )
    return text


def _name(name: str) -> str:
    if not (name.strip() and name.isprintable() and len(name) <= limits.NAME):
        raise PydanticCustomError(
            "name",
            "is blank, longer than {most} characters or not printable",
            {"most": limits.NAME},
        )
    return name


def _id(name: str) -> str:
    # Ids stand in file names and URLs, and a span's id is `record@start-end`.
    if any(character in "/\\@" for character in name) or name in (".", ".."):
        raise PydanticCustomError("id", "holds '/', '\\' or '@', or is '.' or '..'")
    return _name(name)


class _RecordRow(BaseModel):
    """One record as a file gives it, without its unknown keys."""

    model_config = ConfigDict(strict=True, frozen=True, hide_input_in_errors=True)

    text: Annotated[str, AfterValidator(_text)]
    id: Annotated[str, AfterValidator(_id)] | None = None
    subject: Annotated[str, AfterValidator(_name)] | None = None
    spans: list[SpanRow] | None = None


_REMEDIES = {
    "text": f"Give each record a string `text` of 1 to {limits.TEXT:,} characters.",
    "id": f"Use a string of at most {limits.NAME} printable characters without '/', '\\' and '@'.",
    "subject": f"Use a string of at most {limits.NAME} printable characters, such as p-004.",
    "spans": "Give a list of {start, end, label, kind}, or leave `spans` out: they are detected.",
    "start": "Offsets are integers that count characters from 0.",
    "end": "Offsets are integers that count characters from 0; the end is exclusive.",
    "label": "A label is 1 to 40 capitals, digits and underscores, such as NAME.",
    "kind": f"Use one of {', '.join(KINDS)}.",
}


def _record(
    row: Row,
    columns: Columns,
    table: PatientTable | None,
    remarks: Remarks,
    detector: Detector | None,
) -> Record:
    """A checked record, with what the file leaves out filled in."""
    fields = columns.read(row)
    try:
        given = _RecordRow.model_validate(fields.given)
    except ValidationError as error:
        raise mistake(fields.spans_where, *_explained(error)) from None
    name = given.id if given.id is not None else f"r-{row.number:06d}"
    subject = given.subject
    if subject is None:
        subject = (table.subject_of(given.text) if table else None) or name
    if given.spans is not None:
        spans = checked_spans(given.text, given.spans, fields.spans_where, remarks)
    else:
        spans = detector(given.text) if detector else ()
    return Record(name, subject, given.text, spans, fields.extra)


def _explained(error: ValidationError) -> tuple[str, str]:
    """What is wrong and how to mend it, from pydantic's first finding; no input is quoted."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    field, *inner = first["loc"]
    place = ""
    if inner:  # ("spans", 2, "end"), or ("spans", 2) where the entry is no object
        place = f"span {int(inner[0]) + 1} "
        field = inner[1] if len(inner) > 1 else "spans"
    if first["type"] == "extra_forbidden":  # the key itself may be anything: it is not named
        return f"{place}has a key that spans do not have", _REMEDIES["spans"]
    return f"{place}`{field}` {_phrase(first['type'], first['msg'])}", _REMEDIES[str(field)]


def _phrase(kind: str, message: str) -> str:
    """Pydantic's words as the end of our sentence."""
    if kind == "missing":
        return "is missing"
    if message.startswith("Input "):
        return message.removeprefix("Input ")
    return message[0].lower() + message[1:]


def save_corpus(records: Iterable[Record], path: Path) -> None:
    """Write the file whole or not at all; only its owner may read it, since it holds identifiers.

    Raises:
        CorpusError: the folder does not exist or cannot be written to.
    """

    def fill(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            for record in records:
                line = json.dumps(record_fields(record), ensure_ascii=False, allow_nan=False)
                file.write(line + "\n")

    try:
        path.parent.stat()  # a folder that is misspelt would be made
        write_file(path, fill)
    except OSError as error:
        raise CorpusError(
            f"{path.name}: its folder cannot be written to, or this is a folder itself "
            f"({type(error).__name__}). Create the folder, or choose another."
        ) from None
