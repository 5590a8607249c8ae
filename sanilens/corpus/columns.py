"""Which columns of a file hold the text, the id, the subject and the spans.

Files call them many things: `TEXT`, `note_id`, `patient_id`, doccano's `label`. What is
unambiguous is read, and a notice says so; anything else is an error that names the columns. All
other columns are kept with the record, unread. Messages name a column only where its
name is one of those known here: a CSV file without a header has values in its place.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sanilens.corpus.annotations import as_entry, entries, looks_like_spans, task_fields
from sanilens.corpus.formats.rows import Row, mistake, parse_json
from sanilens.corpus.remarks import Remarks

# Names without case, blanks, hyphens and underscores; of several the first is preferred.
_TEXTS = ("text", "sourcetext", "fulltext", "notetext", "reporttext", "unmaskedtext")
_MAYBE_TEXTS = """note notes report content body sentence document transcription transcript
    narrative message data""".split()
_IDS = """id noteid recordid documentid docid reportid textid rowid uid uuid""".split()
_SUBJECTS = """subject subjectid patientid patient personid person participantid participant
    userid clientid customerid memberid employeeid""".split()
_SPANS = "spans label labels entities ents privacymask annotations spanlabels".split()
# Under these names a plain text or a list of words is a class, not spans.
_CLASSES = ("label", "labels")
_TAGS = "nertags biolabels biotags mbertbiolabels".split()
_CHATS = "messages conversations prompt completion instruction".split()
_META = ("meta", "metadata")
# Names that may say whose a record is, too sensitive or too vague to be taken for it unasked.
_MAYBE_SUBJECTS = "mrn hadmid encounterid name patientname user author".split()

_FILLING = re.compile(r"[\s_\-.\ufeff\u200b]+")
_REMEDIES = {
    "text": "Name the one that the model was trained on `text`, and rename or drop the other.",
    "subject": "Name the one that says whose the record is `subject`, and rename the other.",
    "spans": "Keep one of them, as `spans`: a list of {start, end, label}.",
}


def plain_name(header: str) -> str:
    """A header without case, blanks, hyphens and underscores."""
    return _FILLING.sub("", header).casefold()


@dataclass(frozen=True, slots=True)
class Fields:
    """A row by the meaning of its columns.

    Attributes:
        given: what the row says of `text`, `id`, `subject` and `spans`, under these names.
        extra: its other columns.
        spans_where: the place that messages about spans name.
    """

    given: dict[str, Any]
    extra: dict[str, Any]
    spans_where: str


class Columns:
    """Reads the rows of one file, all in the same way."""

    def __init__(self, remarks: Remarks) -> None:
        self._remarks = remarks
        self._text: str | None = None

    def read(self, row: Row) -> Fields:
        """The row by meaning.

        Raises:
            CorpusError: columns that could be the same thing, annotations of no known form.
        """
        fields = self._unwrapped(row)
        by_name = _by_name(fields)
        columns = {
            "text": self._text_column(row, fields, by_name),
            "id": self._one("id", _IDS, by_name, row),
            "subject": self.subject_column(row, fields, by_name),
            "spans": self._spans_column(row, fields, by_name),
        }
        given = {role: fields[header] for role, header in columns.items() if header is not None}
        used = {*columns, *columns.values()}  # `spans: null` is ours, and says nothing
        extra = {header: value for header, value in fields.items() if header not in used}
        if given.get("subject") is None:
            given["subject"] = self._nested_subject(row, extra)
        if given["subject"] is None:
            self._unread_subjects(row, by_name)
        for role in given.keys() & {"id", "subject"}:
            given[role] = _as_text(given[role])
        where, spans = row.where, columns["spans"]
        if spans is not None:
            given["spans"] = _as_spans(given["spans"], where, spans)
            where += "" if spans == "spans" else f", column {_shown(spans)}"
        return Fields(given, extra, where)

    def _unwrapped(self, row: Row) -> Mapping[str, Any]:
        """The row's own columns: those of a Label Studio task lie deeper."""
        try:
            task = task_fields(row.fields)
        except ValueError:
            raise mistake(
                row.where,
                "the task has several annotations",
                "Export one for each task, the agreed one.",
            ) from None
        if task is None:
            return row.fields
        if "spans" not in task:
            self._remarks.note("{n} Label Studio tasks have no annotation", row.where)
        return task

    def _text_column(
        self, row: Row, fields: Mapping[str, Any], by_name: Mapping[str, list[str]]
    ) -> str | None:
        found = _headers(_TEXTS, by_name)
        if len({str(fields[header]) for header in found}) > 1:
            raise _ambiguous(row, "text", found)
        if not found:
            found = [h for h in _headers(_MAYBE_TEXTS, by_name) if isinstance(fields[h], str)]
            if len(found) > 1:
                raise _ambiguous(row, "text", found)
        if not found:
            if chat := _headers(_CHATS, by_name):
                raise mistake(
                    row.where,
                    f"`text` is missing, and {_listed(chat)} is not one text",
                    "Write the text as the model was trained on it, template included, to `text`.",
                )
            return None
        if self._text not in (None, found[0]):
            raise mistake(
                row.where,
                f"its text is in column {_shown(found[0])}, that of the first record in another",
                "Give all records the same columns.",
            )
        self._text = found[0]
        self._said("text", found[0], row)
        return found[0]

    def subject_column(
        self, row: Row, fields: Mapping[str, Any], by_name: Mapping[str, list[str]]
    ) -> str | None:
        """The column that says whose a record is.

        Raises:
            CorpusError: several could.
        """
        found = _headers(_SUBJECTS, by_name)
        if "subject" not in fields and len({str(fields[header]) for header in found}) > 1:
            raise _ambiguous(row, "subject", found)
        return self._one("subject", _SUBJECTS, by_name, row)

    def _spans_column(
        self, row: Row, fields: Mapping[str, Any], by_name: Mapping[str, list[str]]
    ) -> str | None:
        found = [
            header
            for name in _SPANS
            for header in by_name.get(name, [])
            if fields[header] is not None and _is_annotation(row, name, header, fields[header])
        ]
        if len(found) > 1:
            raise _ambiguous(row, "spans", found)
        others = sum(h not in found and looks_like_spans(fields[h]) for h in fields)
        if others and not found:
            raise mistake(
                row.where,
                "a column of another name holds what looks like spans",
                "Rename it to `spans`, or drop it and give `spans`.",
            )
        if others:
            self._remarks.note(
                "in {n} records a further column looks like spans: unread", row.where
            )
        if not found:
            if tags := _headers(_TAGS, by_name):
                raise mistake(
                    row.where,
                    f"{_listed(tags)} tags tokens, which are not read",
                    "Give `spans`, with offsets that count the characters of `text`; or drop it.",
                )
            return None
        if plain_name(found[0]) == "spans" and str(fields.get("answer")) in ("reject", "ignore"):
            raise mistake(
                row.where, "its `answer` is not accept", "Export the accepted annotations only."
            )
        self._said("spans", found[0], row)
        return found[0]

    def _one(
        self, role: str, names: Iterable[str], by_name: Mapping[str, list[str]], row: Row
    ) -> str | None:
        """The preferred column of a role; a notice says that the others are not read."""
        found = _headers(names, by_name)
        if not found:
            return None
        self._said(role, found[0], row)
        if role == "subject" and found[1:]:
            self._remarks.note(f"{_listed(found[1:])} is kept, but not read", row.where)
        return found[0]

    def _nested_subject(self, row: Row, extra: Mapping[str, Any]) -> Any:
        """The subject that stands in a record's `meta`, as Prodigy and others write it."""
        for header, value in extra.items():
            if plain_name(header) in _META and isinstance(value, dict):
                by_name = {plain_name(key): [key] for key in value}
                if len(found := _headers(_SUBJECTS, by_name)) == 1:
                    self._remarks.note(
                        f"the subject is read from meta.{_shown(found[0])}", row.where
                    )
                    return value[found[0]]
        return None

    def _unread_subjects(self, row: Row, by_name: Mapping[str, list[str]]) -> None:
        if found := _headers(_MAYBE_SUBJECTS, by_name):
            self._remarks.note(
                f"{_listed(found)} is kept, but not read: if it says whose a record is, name it "
                "`subject`",
                row.where,
            )

    def _said(self, role: str, header: str, row: Row) -> None:
        if header != role:
            self._remarks.note(f"`{role}` is read from column {_shown(header)}", row.where)


def _by_name(headers: Iterable[str]) -> dict[str, list[str]]:
    """The headers by their names without case and separators."""
    found: dict[str, list[str]] = {}
    for header in headers:
        found.setdefault(plain_name(header), []).append(header)
    return found


def subject_of_row(row: Row, remarks: Remarks) -> tuple[str | None, Any]:
    """The column of a row that says whose it is, and what it says.

    Raises:
        CorpusError: several columns could.
    """
    found = Columns(remarks).subject_column(row, row.fields, _by_name(row.fields))
    return found, _as_text(row.fields[found]) if found else None


def _is_annotation(row: Row, name: str, header: str, value: Any) -> bool:
    """Whether a column named like spans holds them, and not a record's class.

    Raises:
        CorpusError: it holds something else that is not a class either.
    """
    if name == "spans" or looks_like_spans(value) or value == []:
        return True
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        return _is_annotation(row, name, header, _parsed(value, row.where, header))
    words = isinstance(value, list) and all(isinstance(item, str) for item in value)
    if name in _CLASSES and (words or not isinstance(value, list | dict)):
        return False
    raise mistake(
        row.where,
        f"column {_shown(header)} cannot be read as spans",
        "Give `spans`: a list of {start, end, label}, offsets in characters; or drop the column.",
    )


def _as_spans(value: Any, where: str, header: str) -> Any:
    """The entries of a column of spans, which a table may hold as JSON."""
    if isinstance(value, str) and (header != "spans" or value.lstrip()[:1] in ("[", "{")):
        value = _parsed(value, where, header)
    found = entries(value)
    return [as_entry(entry) for entry in found] if found or value == [] else value


def _parsed(cell: str, where: str, header: str) -> Any:
    column = f"column {_shown(header)}"
    remedy = f'The {column} holds a JSON list: [{{"start": 0, "end": 3, "label": "NAME"}}].'
    return parse_json(cell, f"{where}, {column}", remedy)


def _as_text(value: Any) -> Any:
    """Numeric ids and subjects as text; anything else is left for the check that follows."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _headers(names: Iterable[str], by_name: Mapping[str, list[str]]) -> list[str]:
    """The headers that a role may have, the preferred first."""
    return [
        header
        for name in names
        for header in sorted(by_name.get(name, ()), key=lambda header: header != name)
    ]


def _listed(headers: Iterable[str]) -> str:
    return ", ".join(map(_shown, headers))


def _shown(header: str) -> str:
    """A known header on one line."""
    return re.sub(r"[\s\ufeff\u200b]+", " ", header).strip()


def _ambiguous(row: Row, role: str, headers: list[str]) -> Exception:
    what = f"several columns could be the {role}: {_listed(headers)}"
    return mistake(row.where, what, _REMEDIES[role])
