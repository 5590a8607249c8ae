"""Loading: what is accepted, and one message with place and remedy for all that is not."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanilens.corpus import formats, limits
from sanilens.corpus.detection.detector import Detector
from sanilens.corpus.detection.patient_table import PatientTable
from sanilens.corpus.formats import read as reading
from sanilens.corpus.load import load_records, save_corpus
from sanilens.corpus.records import Record, Span
from sanilens.corpus.spans import trimmed
from sanilens.errors import CorpusError

SECRET = "Zyzzyva"  # stands in every malformed file; no message may hold it
GOOD = {"id": "n-1", "subject": "p-1", "text": f"Note on {SECRET}.", "spans": []}


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def line(**changes: Any) -> str:
    """A good line with some keys changed; a key set to `...` is left out."""
    fields = {key: value for key, value in {**GOOD, **changes}.items() if value is not ...}
    return json.dumps(fields) + "\n"


def refusal(path: Path) -> str:
    """The message with which a file is refused; it is one line and holds no value."""
    with pytest.raises(CorpusError) as caught:
        load_records(path)
    message = str(caught.value)
    assert SECRET not in message
    assert "\n" not in message
    assert path.name in message
    assert caught.value.__cause__ is None
    return message


SPAN = {"start": 8, "end": 15, "label": "NAME", "kind": "direct"}

# (second line of the file, what the message names, what the remedy names)
BAD_LINES = {
    "not JSON": (f"{{'text': '{SECRET}'}}\n", "not valid JSON at column 2", "one JSON object"),
    "cut off": (f'{{"text": "{SECRET}\n', "not valid JSON", "one JSON object"),
    "an array": (f'["{SECRET}"]\n', "not an object", "jq -c"),
    "a string": (f'"{SECRET}"\n', "not an object", "one JSON object"),
    "NaN": (f'{{"text": "{SECRET}", "spans": [], "x": NaN}}\n', "NaN", "remove it"),
    "infinity": (f'{{"text": "{SECRET}", "spans": [], "x": 1e999}}\n', "infinite", "remove it"),
    "huge integer": (f'{{"text": "{SECRET}", "x": {"1" * 5000}}}\n', "digits", "one JSON object"),
    "deep": ('{"x": ' + "[" * 100_000 + "\n", "nested too deep", "one JSON object"),
    "rather deep": (
        f'{{"text": "{SECRET}", "x": {"[" * 100}{"]" * 100}}}\n',
        "nested too deep",
        "remove it",
    ),
    "doubled key": (f'{{"text": "a", "text": "{SECRET}"}}\n', "a key occurs twice", "one JSON"),
    "half a surrogate": (line(text=SECRET + "\ud800"), "surrogate", "ordinary text"),
    "half a surrogate elsewhere": (line(note=["\udfff"]), "surrogate", "ordinary text"),
    "NUL escaped": (line(text=f"{SECRET}\0"), "`text` holds a NUL", "`text`"),
    "NUL": (f'{{"text": "{SECRET}\0"}}\n', "NUL character", "Remove it"),
    "no text": (line(text=...), "`text` is missing", "Give each record"),
    "text null": (line(text=None), "`text` should be a valid string", "Give each record"),
    "text a number": (line(text=17), "`text` should be a valid string", "Give each record"),
    "text empty": (line(text=""), "`text` is blank", "Give each record"),
    "text blank": (line(text=" \n\t"), "`text` is blank", "Give each record"),
    "text too long": (line(text=SECRET * 150_000), "`text` has 1050000 char", "1,000,000"),
    "id a fraction": (line(id=1.5), "`id` should be a valid string", "printable"),
    "id with slash": (line(id=f"{SECRET}/1"), "`id` holds '/'", "printable"),
    "id with at": (line(id=f"{SECRET}@1"), "`id` holds", "printable"),
    "id of dots": (line(id=".."), "`id` holds", "printable"),
    "id with control": (line(id=f"{SECRET}\x1b"), "`id` is blank", "printable"),
    "id blank": (line(id=" "), "`id` is blank", "printable"),
    "id too long": (line(id=SECRET * 20), "longer than 128", "128"),
    "subject a list": (line(subject=[SECRET]), "`subject` should be", "p-004"),
    "subject too long": (line(subject=SECRET * 20), "longer than 128", "p-004"),
    "spans a string": (line(spans=SECRET), "`spans` should be a valid list", "leave `spans` out"),
    "span no object": (line(spans=[SECRET]), "span 1 `spans` should be", "{start, end"),
    "span without end": (
        line(spans=[{"start": 0, "label": "NAME"}]),
        "span 1 `end` is missing",
        "exclusive",
    ),
    "start a string": (line(spans=[SPAN, {**SPAN, "start": SECRET}]), "span 2 `start`", "Offsets"),
    "start true": (line(spans=[{**SPAN, "start": True}]), "span 1 `start`", "Offsets"),
    "start a fraction": (line(spans=[{**SPAN, "start": 1.5}]), "span 1 `start`", "Offsets"),
    "start negative": (line(spans=[{**SPAN, "start": -1}]), "span 1 `start`", "Offsets"),
    "end outside": (line(spans=[{**SPAN, "end": 99}]), "span 1 [8, 99) lies outside", "characters"),
    "span empty": (line(spans=[{**SPAN, "end": 8}]), "span 1 [8, 8)", "exclusive"),
    "spans overlap": (
        line(spans=[SPAN, {**SPAN, "start": 4, "end": 9}]),
        "[5, 9) and [8, 15) overlap",
        "Merge",
    ),
    "label not ASCII": (line(spans=[{**SPAN, "label": "Имя"}]), "span 1 `label`", "capitals"),
    "label with newline": (line(spans=[{**SPAN, "label": "NAME\n"}]), "span 1 `label`", "capitals"),
    "label too long": (line(spans=[{**SPAN, "label": "A" * 41}]), "span 1 `label`", "1 to 40"),
    "kind unknown": (line(spans=[{**SPAN, "kind": SECRET}]), "span 1 `kind`", "confidential"),
    "span of blanks": (line(spans=[{**SPAN, "start": 4, "end": 5}]), "blanks alone", "Remove it"),
    "span text elsewhere": (
        line(spans=[{**SPAN, "text": "Note on"}]),
        "span 1 [8, 15) has a `text` that does not stand there",
        "Offsets count characters",
    ),
    "span key unknown": (line(spans=[{**SPAN, SECRET: 1}]), "span 1 has a key", "{start, end"),
    "id twice": (line(), "its id is that of", "id of its own"),
}


@pytest.mark.parametrize("case", BAD_LINES)
def test_a_bad_line_is_refused_with_its_place_and_a_remedy(case: str, tmp_path: Path) -> None:
    bad, what, remedy = BAD_LINES[case]
    message = refusal(write(tmp_path, "notes.jsonl", line() + bad))
    assert message.startswith("notes.jsonl, line 2: ")
    assert what in message
    assert remedy in message


# (name, content, what the message names, what the remedy names)
BAD_FILES: dict[str, tuple[str, str | bytes, str, str]] = {
    "empty": ("a.jsonl", "", "a.jsonl: the file is empty", "at least one text"),
    "only blank lines": ("a.jsonl", "\n \n", "holds no record", "at least one text"),
    "only a header": ("a.csv", "id,text\n", "holds no record", "at least one text"),
    "only separators": ("a.txt", "---\n\n---\n", "holds no record", "at least one text"),
    "extension": ("a.docx", SECRET, "names no format", ".jsonl"),
    "latin-1": (
        "a.jsonl",
        line().encode() + f'{{"text": "{SECRET} é"}}'.encode("latin-1"),
        f"a.jsonl, line 2: the file is not UTF-8 (first at byte {len(line()) + 18})",
        "iconv",
    ),
    "UTF-16 without a mark": ("a.csv", f"text\n{SECRET}\n".encode("utf-16-le"), "NUL", "UTF-16LE"),
    "UTF-16 cut off": ("a.csv", f"text\n{SECRET}\n".encode("utf-16")[:-1], "as UTF-16", "UTF-8"),
    "UTF-8 after a mark": ("a.txt", b"\xef\xbb\xbfab\xff", "(first at byte 5)", "UTF-8"),
    "NUL in text": ("a.txt", f"one\n{SECRET}\0", "a.txt, line 2: the line holds a NUL", "UTF-16"),
    "CSV without text": ("a.csv", f"id,ward\n1,{SECRET}\n", "line 2: `text` is missing", "`text`"),
    "CSV ragged": (
        "a.csv",
        f'text,ward\n"two\nlines",3\n{SECRET},4,5\n',
        "a.csv, line 4: the row has 3 cells, the header 2",
        "Quote",
    ),
    "CSV short row": ("a.csv", f"text,ward\n{SECRET}\n", "line 2: the row has 1 cells", "Quote"),
    "CSV semicolons": ("a.csv", f"id;text\n1;{SECRET}\n", "line 1: the header is one", "commas"),
    "CSV doubled header": ("a.csv", f"text,text\n{SECRET},b\n", "line 1: two columns", "own name"),
    "CSV unnamed header": ("a.csv", f"text,\n{SECRET},b\n", "line 1: a column has no", "Name"),
    "CSV open quote": ("a.csv", f'text\n"{SECRET}\nmore\n', "line 2: broken CSV", "double"),
    "CSV huge cell": ("a.csv", "text\n" + SECRET * 600_000, "4,000,000", "double"),
    "CSV spans": (
        "a.csv",
        f"text,spans\n{SECRET},[1\n",
        "line 2, column spans: not valid JSON",
        "JSON list",
    ),
    "CSV spans no list": ("a.csv", f"text,spans\n{SECRET},3\n", "line 2: `spans` should be", "out"),
    "CSV same id": ("a.csv", "id,text\nn,a\nn,b\n", "line 3: its id is that of a.csv", "its own"),
    "no Parquet": ("a.parquet", SECRET * 9, "not a Parquet file", "to_parquet"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_refused_with_its_place_and_a_remedy(case: str, tmp_path: Path) -> None:
    name, content, what, remedy = BAD_FILES[case]
    message = refusal(write(tmp_path, name, content))
    assert what in message
    assert remedy in message


def test_places_that_hold_no_file(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "missing.jsonl")
    (tmp_path / "folder.jsonl").mkdir()
    assert "a folder without a .txt file" in refusal(tmp_path / "folder.jsonl")
    write(tmp_path / "folder.jsonl", "a.txt", SECRET)
    write(tmp_path / "folder.jsonl", "b.pdf", SECRET)
    assert "1 entries are not .txt files" in refusal(tmp_path / "folder.jsonl")


def test_limits_of_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "a.jsonl", line())
    monkeypatch.setattr(limits, "LINE_BYTES", 20)
    assert "a.jsonl, line 1: the line is longer than 20 bytes" in refusal(path)
    monkeypatch.setattr(limits, "FILE_BYTES", 20)
    assert "more than 20. Split it" in refusal(path)


def test_an_unreadable_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> Iterator[formats.Row]:
        raise PermissionError(SECRET)
        yield

    monkeypatch.setitem(reading._READERS, ".jsonl", refuse)
    message = refusal(write(tmp_path, "a.jsonl", line()))
    assert "cannot be read (PermissionError). Check who may read it." in message


def parquet(folder: Path, columns: dict[str, Any]) -> Path:
    path = folder / "a.parquet"
    pq.write_table(pa.table(columns), path)
    return path


# Arrow does not check that the bytes of a string are text.
NOT_UTF8 = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff"]).buffers())


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ({"text": [1, 2]}, "row 1: `text` should be a valid string"),
        ({"ward": [SECRET]}, "row 1: `text` is missing"),
        ({"text": ["a", None]}, "row 2: `text` is missing"),
        ({"text": [SECRET], "seen": pa.array([0], pa.time32("s"))}, "row 1: a value of type"),
        ({"text": [SECRET], "seen": pa.array([2**31 - 1], pa.date32())}, "row 1: a date out of"),
        ({"text": [SECRET], "took": pa.array([2**62], pa.duration("s"))}, "row 1: a date out of"),
        ({"text": [SECRET], "scan": [b"\0"]}, "row 1: a value of type bytes"),
        ({"text": [SECRET], "score": [float("nan")]}, "row 1: a number is NaN"),
        ({"text": [SECRET], "spans": [7]}, "row 1: `spans` should be a valid list"),
        ({"text": NOT_UTF8}, "row 1: not a Parquet file"),
    ],
    ids=["type", "missing", "null", "time", "date", "duration", "bytes", "nan", "spans", "utf-8"],
)
def test_bad_parquet(columns: dict[str, Any], what: str, tmp_path: Path) -> None:
    assert what in refusal(parquet(tmp_path, columns))


def test_json_lines_fill_in_what_is_missing(tmp_path: Path) -> None:
    content = (
        "\ufeff"
        '{"text": "Ana Ruiz", "spans": [{"start": 4, "end": 8, "label": "NAME"}, '
        '{"start": 0, "end": 3, "label": "BADGE", "kind": "indirect"}], "ward": {"bed": 3}}\r\n'
        "\n"
        '{"id": "x", "text": "MRN 4711923", "spans": null}\n'
        '{"id": "y", "subject": "p", "text": "MRN 4711923", "spans": []}'
    )
    first, second, third = load_records(write(tmp_path, "a.jsonl", content))
    spans = (Span(0, 3, "BADGE", "indirect"), Span(4, 8, "NAME", "direct"))
    assert first == Record("r-000001", "r-000001", "Ana Ruiz", spans, {"ward": {"bed": 3}})
    assert second == Record("x", "x", "MRN 4711923", (Span(4, 11, "MRN", "direct"),))
    assert third == Record("y", "p", "MRN 4711923")


def test_csv_and_parquet_agree_with_json_lines(tmp_path: Path) -> None:
    spans = [{"start": 0, "end": 3, "label": "NAME", "kind": "direct"}]
    expected = (
        Record("a", "p", "Ana,\nand more", (Span(0, 3, "NAME", "direct"),), {"ward": "7"}),
        Record("b", "b", "nobody", (), {}),
    )
    cell = json.dumps(spans).replace('"', '""')
    table = f'id,subject,text,spans,ward\na,p,"Ana,\nand more","{cell}",7\nb,,nobody,[],\n'
    assert load_records(write(tmp_path, "a.csv", table)) == expected
    assert load_records(write(tmp_path, "b.csv", "\ufeff" + table)) == expected
    columns = {
        "id": ["a", "b"],
        "subject": ["p", None],
        "text": ["Ana,\nand more", "nobody"],
        "spans": [spans, []],
        "ward": ["7", None],
    }
    assert load_records(parquet(tmp_path, columns)) == expected
    columns["spans"] = [json.dumps(spans), "[]"]
    assert load_records(parquet(tmp_path, columns)) == expected


def test_a_csv_cell_over_the_module_default_is_read(tmp_path: Path) -> None:
    (record,) = load_records(write(tmp_path, "a.csv", f"text,spans\n{'a' * 500_000},[]\n"))
    assert len(record.text) == 500_000


def test_plain_text_is_cut_at_dashes_and_form_feeds(tmp_path: Path) -> None:
    content = "---\r\none -- a\r\nmore\r\n-----\ntwo\n--\n\fMRN 4711923\n---\n"
    records = load_records(write(tmp_path, "a.txt", content))
    assert [r.text for r in records] == ["one -- a\nmore", "two\n--", "MRN 4711923"]
    assert [r.id for r in records] == ["r-000001", "r-000002", "r-000003"]
    assert records[2].spans == (Span(4, 11, "MRN", "direct"),)


def test_a_folder_of_texts_keeps_names_out_of_ids(tmp_path: Path) -> None:
    write(tmp_path, "b.txt", "two\n---\nhalves")
    write(tmp_path, "a.TXT", "one")
    write(tmp_path, ".hidden", "not read")
    first, second = load_records(tmp_path)
    assert (first.id, first.text, first.extra) == ("r-000001", "one", {"file": "a.TXT"})
    assert (second.text, second.extra) == ("two\n---\nhalves", {"file": "b.txt"})


def test_a_patient_table_finds_spans_and_says_whose_they_are(tmp_path: Path) -> None:
    notes = write(tmp_path, "a.jsonl", '{"text": "ruiz, ana called"}\n{"text": "nobody"}\n')
    table = PatientTable([("p-1", "NAME", "Ana Ruiz"), ("p-2", "NAME", "Bo Li")])
    records = load_records(notes, patient_table=table)
    assert [r.subject for r in records] == ["p-1", "r-000002"]
    assert records[0].spans == (Span(0, 9, "NAME", "direct"),)
    assert load_records(notes, detector=Detector(table)) == records


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(
    st.lists(
        st.tuples(texts.filter(str.strip), st.dictionaries(texts, json_values, max_size=3)),
        min_size=1,
        max_size=5,
    )
)
def test_saved_records_load_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, given_records: list[tuple[str, dict[str, Any]]]
) -> None:
    records = tuple(
        Record(
            f"n-{number}",
            "p-1",
            text,
            (Span(*trimmed(text, 0, len(text)), "OWN_LABEL", "confidential"),),
            {f"x-{key}": value for key, value in extra.items()},
        )
        for number, (text, extra) in enumerate(given_records)
    )
    path = tmp_path_factory.mktemp("save") / "a.jsonl"
    save_corpus(records, path)
    assert load_records(path) == records


def test_a_failed_save_leaves_the_old_file(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", line())
    bad = Record("n", "p", "text", extra={"x": float("nan")})
    with pytest.raises(ValueError, match="JSON compliant"):
        save_corpus([bad], path)
    assert path.read_text() == line()
    assert [p.name for p in tmp_path.iterdir()] == ["a.jsonl"]
    with pytest.raises(CorpusError, match="Create the folder, or choose another"):
        save_corpus([bad], tmp_path / "none" / "a.jsonl")
