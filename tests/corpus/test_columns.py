"""Whatever tool wrote a file: the same records, or one message that names what is unclear."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sanilens.corpus.load import load_records
from sanilens.corpus.records import Record, Span
from sanilens.errors import CorpusError
from sanilens.notices import hearing

TEXT = "Seen: José Ruiz 🙂, 4711923."
NAME, MRN = Span(6, 15, "NAME", "direct"), Span(19, 26, "MRN", "direct")
EXPECTED = Record("n-1", "p-1", TEXT, (NAME, MRN))
PLAIN = {"id": "n-1", "subject": "p-1", "text": TEXT}
OURS = [{"start": 6, "end": 15, "label": "NAME"}, {"start": 19, "end": 26, "label": "MRN"}]

# How tools write the two spans, each with the column that holds them.
SPAN_FORMS: dict[str, dict[str, Any]] = {
    "ours": {"spans": OURS},
    "ours with a text": {"spans": [{**OURS[0], "text": "José Ruiz"}, OURS[1]]},
    "triples": {"spans": [[6, 15, "NAME"], [19, 26, "MRN"]]},
    "doccano label": {"label": [[6, 15, "PERSON"], [19, 26, "MRN"]]},
    "doccano labels": {"labels": [[6, 15, "Person"], [19, 26, "mrn"]]},
    "doccano entities": {
        "entities": [
            {"id": 4, "start_offset": 6, "end_offset": 15, "label": "PER"},
            {"id": 5, "start_offset": 19, "end_offset": 26, "label": "MRN"},
        ],
        "relations": [],
        "Comments": [],
    },
    "spaCy": {"ents": [{"start": 6, "end": 15, "label": "PERSON"}, OURS[1]]},
    "Prodigy": {
        "spans": [{**OURS[0], "token_start": 2, "token_end": 3}, {**OURS[1], "source": "x"}],
        "tokens": [{"text": "Seen", "start": 0, "end": 4, "id": 0}],
        "answer": "accept",
    },
    "ai4privacy": {
        "privacy_mask": [
            {"value": "José Ruiz", "start": 6, "end": 15, "label": "GIVENNAME", "label_index": 1},
            {"value": "4711923", "start": 19, "end": 26, "label": "MEDICALRECORD"},
        ]
    },
    "presidio": {
        "entities": [
            {"entity_type": "PERSON", "start": 6, "end": 15, "score": 0.85},
            {"entity_type": "MEDICAL_RECORD_NUMBER", "start": 19, "end": 26, "score": 1.0},
        ]
    },
    "presidio-research": {
        "spans": [
            {"entity_type": "PERSON", "entity_value": "José Ruiz", "start_position": 6,
             "end_position": 15},
            {"entity_type": "MRN", "entity_value": "4711923", "start_position": 19,
             "end_position": 26},
        ]
    },
    "Label Studio, short": {
        "label": [
            {"start": 6, "end": 15, "text": "José Ruiz", "labels": ["PER"]},
            {"start": 19, "end": 26, "text": "4711923", "labels": ["MRN"]},
        ]
    },
    "object of lists": {"entities": {"start": [6, 19], "end": [15, 26], "label": ["NAME", "MRN"]}},
}  # fmt: skip


def loaded(path: Path) -> tuple[tuple[Record, ...], list[str]]:
    with hearing() as told:
        return load_records(path), told


def lines(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def table(folder: Path, row: dict[str, Any], encoding: str = "utf-8") -> Path:
    out = io.StringIO()
    cells = [v if isinstance(v, str) else json.dumps(v) for v in row.values()]
    csv.writer(out).writerows([list(row), cells])
    path = folder / "a.csv"
    path.write_bytes(out.getvalue().encode(encoding))
    return path


@pytest.mark.parametrize("form", SPAN_FORMS)
@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "parquet"])
def test_spans_are_read_as_their_tool_writes_them(form: str, kind: str, tmp_path: Path) -> None:
    row = {**PLAIN, **SPAN_FORMS[form]}
    match kind:
        case "jsonl":
            path = lines(tmp_path, row)
        case "json":
            path = tmp_path / "a.json"
            path.write_text(json.dumps([row], indent=1))
        case "csv":
            path = table(tmp_path, row)
        case _:
            path = tmp_path / "a.parquet"
            (column,) = {
                "spans",
                "label",
                "labels",
                "entities",
                "ents",
                "privacy_mask",
            } & row.keys()
            value = row[column]
            # Arrow has no list of numbers and words: such a column holds JSON.
            mixed = isinstance(value, list) and isinstance(value[0], list)
            cell = json.dumps(value) if mixed else value
            pq.write_table(pa.Table.from_pylist([{**PLAIN, column: cell}]), path)
    (record,), told = loaded(path)
    assert (record.id, record.subject, record.text, record.spans) == (
        "n-1", "p-1", TEXT, EXPECTED.spans,
    )  # fmt: skip
    assert any("`spans` is read from column" in notice for notice in told) == (
        "spans" not in SPAN_FORMS[form]
    )
    assert "José" not in str(told)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize(
    "names",
    [
        ("id", "subject", "text", "spans"),
        ("ID", "Subject", "TEXT", "SPANS"),
        (" id ", "\ufeffsubject", " text", "Spans "),
        ("note_id", "subject_id", "note_text", "label"),
        ("Note ID", "Patient-ID", "Full Text", "Entities"),
        ("row_id", "patientId", "source_text", "privacy_mask"),
        ("uuid", "patient", "content", "ents"),
    ],
)
def test_columns_are_known_by_many_names(
    names: tuple[str, str, str, str], encoding: str, tmp_path: Path
) -> None:
    row = dict(zip(names, ("n-1", "p-1", TEXT, OURS), strict=True))
    (record,), _ = loaded(table(tmp_path, {**row, "ward": "7"}, encoding))
    assert record == Record("n-1", "p-1", TEXT, EXPECTED.spans, {"ward": "7"})


def test_numbers_name_records_and_subjects(tmp_path: Path) -> None:
    path = lines(tmp_path, {"id": 7, "meta": {"patient_id": 12}, "text": "a", "spans": []})
    (record,), told = loaded(path)
    assert (record.id, record.subject, record.extra) == ("7", "12", {"meta": {"patient_id": 12}})
    assert "the subject is read from meta.patient_id" in str(told)


def test_label_studio_tasks(tmp_path: Path) -> None:
    def task(number: int, *results: dict[str, Any]) -> dict[str, Any]:
        done = [{"result": list(results)}, {"was_cancelled": True, "result": []}]
        return {"id": number, "data": {"text": TEXT, "ward": "7"}, "annotations": done}

    spans = [
        {"value": value, "type": "labels"} for value in SPAN_FORMS["Label Studio, short"]["label"]
    ]
    choice = {"value": {"choices": ["cardiology"]}, "type": "choices"}
    untouched = {"id": 3, "data": {"text": "MRN 4711923"}, "annotations": []}
    path = tmp_path / "a.json"
    path.write_text(json.dumps([task(1, *spans, choice), untouched]))
    (first, second), told = loaded(path)
    assert first == Record("1", "1", TEXT, EXPECTED.spans, {"ward": "7"})
    assert second.spans == (Span(4, 11, "MRN", "direct"),)
    assert "1 Label Studio tasks have no annotation" in str(told)
    twice = task(1, *spans)
    twice["annotations"].append(twice["annotations"][0])
    path.write_text(json.dumps([twice]))
    with pytest.raises(CorpusError, match="several annotations"):
        load_records(path)


# (the row, what the message names, what the remedy names)
UNCLEAR: dict[str, tuple[dict[str, Any], str, str]] = {
    "two texts": ({"text": "a", "TEXT": "b"}, "could be the text: text, TEXT", "rename or drop"),
    "source text too": ({"text": "a", "source_text": "b"}, "text, source_text", "rename or drop"),
    "note and body": ({"note": "a", "body": "b"}, "could be the text: note, body", "`text`"),
    "chat": ({"messages": [{"role": "user"}]}, "messages is not one text", "template"),
    "two subjects": (
        {"text": "a", "patient_id": "1", "subject_id": "2"},
        "could be the subject: subject_id, patient_id",
        "`subject`",
    ),
    "two spans": (
        {"text": "abc", "spans": [], "label": [[0, 1, "X"]]},
        "could be the spans: spans, label",
        "Keep one",
    ),
    "entities without offsets": (
        {"text": "abc", "entities": [{"text": "abc", "label": "PERSON"}]},
        "column entities cannot be read",
        "offsets in characters",
    ),
    "entities by label": ({"text": "abc", "entities": {"PER": ["abc"]}}, "entities cannot", "drop"),
    "labels by name": ({"text": "abc", "label": {"PER": [[0, 3]]}}, "label cannot", "drop"),
    "spans in words": ({"text": "abc", "privacy_mask": "0-3 PER"}, "privacy_mask cannot", "drop"),
    "unknown name": (
        {"text": "abc", "phi": [{"start": 0, "end": 3, "label": "PER"}]},
        "a column of another name holds what looks like spans",
        "Rename it",
    ),
    "tags": ({"text": "abc", "ner_tags": [1, 0]}, "ner_tags tags tokens", "offsets"),
    "rejected": (
        {"text": "abc", "spans": [[0, 3, "PER"]], "answer": "reject"},
        "`answer` is not accept",
        "accepted",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", UNCLEAR)
def test_what_is_unclear_is_named(case: str, tmp_path: Path) -> None:
    row, what, remedy = UNCLEAR[case]
    with pytest.raises(CorpusError) as caught:
        load_records(lines(tmp_path, row))
    assert str(caught.value).startswith("a.jsonl, line 1")
    assert what in str(caught.value)
    assert remedy in str(caught.value)


@pytest.mark.parametrize(
    "extra",
    [
        {"label": "cardiology"},
        {"label": 3},
        {"labels": ["cardiology", "urgent"]},
        {"note": "checked twice", "data": {"x": 1}},
        {"tokens": [{"start": 0, "end": 1, "id": 0}]},
        {"scores": [1, 2, 3], "matrix": [[1, 2, 3]]},
    ],
)
def test_plain_metadata_is_kept_and_nothing_is_said(extra: dict[str, Any], tmp_path: Path) -> None:
    (record,), told = loaded(lines(tmp_path, {**PLAIN, "spans": OURS, **extra}))
    assert record == Record("n-1", "p-1", TEXT, EXPECTED.spans, extra)
    assert told == []


def test_records_have_their_text_in_the_same_column(tmp_path: Path) -> None:
    path = lines(tmp_path, {"text": "a", "note": "b", "spans": []}, {"note": "c", "spans": []})
    with pytest.raises(CorpusError, match=r"line 2: its text is in column note"):
        load_records(path)


def test_what_may_be_a_subject_is_said(tmp_path: Path) -> None:
    _, told = loaded(lines(tmp_path, {"text": "a", "mrn": "1", "spans": []}))
    assert told == [
        "a.jsonl: mrn is kept, but not read: if it says whose a record is, name it `subject` "
        "(first: line 1)."
    ]
    _, told = loaded(lines(tmp_path, {**PLAIN, "patient_id": "1", "spans": []}))
    assert "patient_id is kept, but not read" in str(told)


def test_labels_of_ones_own_count_as_direct_and_that_is_said(tmp_path: Path) -> None:
    spans = [[0, 4, "badge no."], [6, 10, "LOC"], [11, 15, "Medical Record"]]
    kept = {"start": 19, "end": 26, "label": "PERSON", "kind": "indirect"}
    (record,), told = loaded(lines(tmp_path, {"text": TEXT, "spans": [*spans, kept]}))
    assert [(s.label, s.kind) for s in record.spans] == [
        ("BADGE_NO", "direct"),
        ("LOCATION", "indirect"),
        ("MRN", "direct"),
        ("PERSON", "indirect"),
    ]
    said = " ".join(told)
    assert "label BADGE_NO is not known and counts as direct" in said
    assert "label LOC is read as LOCATION" in said


def test_a_file_of_a_thousand_labels_is_told_of_in_a_few_lines(tmp_path: Path) -> None:
    rows = ({"text": "abc", "spans": [[0, 3, f"OWN_{n}"]]} for n in range(1000))
    _, told = loaded(lines(tmp_path, *rows))
    assert len(told) == 21
    assert "980 further remarks" in told[-1]


def test_a_column_of_free_text_is_no_span(tmp_path: Path) -> None:
    """It is kept like any other column: only `spans` say what is sensitive."""
    path = tmp_path / "n.jsonl"
    path.write_text(json.dumps({**PLAIN, "spans": OURS, "free_text": "Seen: José"}) + "\n")
    (found,) = load_records(path)
    assert found.spans == (NAME, MRN)
    assert found.extra == {"free_text": "Seen: José"}
