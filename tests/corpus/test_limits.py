"""Every loader is bounded: what a file would need is refused before it is decoded."""

import json
import random
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanilens.corpus import limits
from sanilens.corpus.detection.gazetteer import Entry, Gazetteer
from sanilens.corpus.detection.patient_table import load_patient_table
from sanilens.corpus.formats.parquet_rows import decode
from sanilens.corpus.indirect import TermSettings, mark_indirect, subject_terms
from sanilens.corpus.load import load_records
from sanilens.corpus.records import Record, Span
from sanilens.corpus.surrogates.substitute import substitute
from sanilens.corpus.terms import Term, Terms, load_terms, mark_terms
from sanilens.errors import CorpusError


def refused(path: Path) -> str:
    with pytest.raises(CorpusError) as caught:
        load_records(path)
    assert path.name in str(caught.value)
    return str(caught.value)


def rows(folder: Path, count: int) -> Path:
    path = folder / "a.jsonl"
    path.write_text("".join(f'{{"text": "text {n}", "spans": []}}\n' for n in range(count)))
    return path


@pytest.mark.parametrize(
    ("limit", "most", "message"),
    [
        ("RECORDS", 9, "line 10: the file holds more than 9 records"),
        ("VALUES", 30, "the file holds more than 30 values"),
        ("CHARACTERS", 100, "the file holds more than 100 characters"),
        ("LINES", 9, "line 10: the file has more than 9 lines"),
        ("LINE_BYTES", 20, "line 1: the line is longer than 20 bytes"),
        ("FILE_BYTES", 200, "bytes, more than 200"),
    ],
)
def test_a_file_over_a_limit_is_refused_with_the_figure(
    limit: str, most: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = rows(tmp_path, 10)
    assert len(load_records(path)) == 10
    monkeypatch.setattr(limits, limit, most)
    assert message in refused(path)


def test_text_files_and_arrays_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, array, folder = tmp_path / "a.txt", tmp_path / "a.json", tmp_path / "texts"
    text.write_text("short\n---\n" + "long " * 30)
    array.write_text(json.dumps([{"text": "a", "spans": []}] * 9))
    folder.mkdir()
    (folder / "a.txt").write_text("long " * 90)
    monkeypatch.setattr(limits, "TEXT", 100)
    assert "a.txt: the text is longer than 100 characters" in refused(text)
    with pytest.raises(CorpusError, match=r"a\.txt: the text is longer than 100"):
        load_records(folder)
    monkeypatch.setattr(limits, "ARRAY_BYTES", 100)
    assert "one array of more than 100 bytes" in refused(array)
    wide = tmp_path / "wide.csv"
    wide.write_text("a,b,text\n1,2,c\n")
    monkeypatch.setattr(limits, "COLUMNS", 2)
    assert "3 columns, more than 2" in refused(wide)


def parquet(folder: Path, column: pa.Array, name: str = "text", **options: object) -> Path:
    path = folder / "a.parquet"
    pq.write_table(pa.table({name: column}), path, **options)  # type: ignore[arg-type]
    return path


def undecoded(path: Path) -> str:
    """Why a file is refused, asked in this process, where limits can be patched."""
    with pytest.raises(CorpusError) as caught:
        list(decode(path))
    return str(caught.value)


def test_parquet_is_weighed_before_it_is_spread_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few kilobytes that would be hundreds of megabytes; dense, coded and nested."""
    monkeypatch.setattr(limits, "CHARACTERS", 5_000_000)
    value = "a" * 900_000
    coded = pa.DictionaryArray.from_arrays(pa.array([0] * 64, pa.int32()), pa.array([value]))
    path = parquet(tmp_path, coded)
    assert path.stat().st_size < 100_000
    assert "more than 5,000,000 bytes" in undecoded(path)
    dense = parquet(tmp_path, pa.array([value] * 64))
    assert "more than 5,000,000 bytes" in undecoded(dense)
    nested = pa.ListArray.from_arrays(pa.array([0, 64], pa.int32()), coded)
    assert "more than 5,000,000 bytes" in undecoded(parquet(tmp_path, nested, "notes"))
    hidden = parquet(
        tmp_path, pa.array([value] * 64), use_dictionary=False, column_encoding="DELTA_BYTE_ARRAY"
    )
    assert "does not say its size (DELTA_BYTE_ARRAY)" in undecoded(hidden)


def test_parquet_is_counted_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = parquet(tmp_path, pa.array(["a"] * (limits.RECORDS + 1)))
    assert "more than 200,000 records" in undecoded(many)
    assert "more than 200,000 records" in refused(many)
    lists = pa.array([[0] * 1000])
    monkeypatch.setattr(limits, "VALUES", 999)
    assert "more than 999 values" in undecoded(parquet(tmp_path, lists, "numbers"))


def test_a_process_that_dies_while_it_decodes_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arrow aborts at some damaged files, and would take the server with it."""
    path = parquet(tmp_path, pa.array(["a", "b"]))
    assert [record.text for record in load_records(path)] == ["a", "b"]
    monkeypatch.setattr("sys.executable", "/bin/false")
    assert "row 1: not a Parquet file, or a damaged one" in refused(path)


SELF_SIMILAR = ["a " * 200_000, "a " * 10_000, "\n".join("a " * n for n in range(1, 60))]


@pytest.mark.parametrize("content", SELF_SIMILAR, ids=["400 KB line", "20 KB line", "nested"])
@pytest.mark.slow
def test_a_list_of_terms_is_refused_or_found_in_time(content: str, tmp_path: Path) -> None:
    path = tmp_path / "terms.txt"
    path.write_text(content)
    start = time.process_time()
    try:
        mark_terms(Record("r", "s", "a " * 10_000), load_terms(path))
    except CorpusError as error:
        assert str(limits.TERM) in str(error) or f"{limits.MATCHES:,}" in str(error)  # noqa: PT017
    assert time.process_time() - start < 20


def test_terms_that_differ_in_signs_alone_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    terms = Terms(Term("-" * n + "a") for n in range(1, 200))
    assert len(terms) == 199
    assert [s.start for s in terms.find("---a")] == [0, 1, 2]
    monkeypatch.setattr(limits, "MATCHES", 1000)
    with pytest.raises(CorpusError, match="more than 1,000 times in one text of 20 characters"):
        terms.find("a " * 10)


def test_lists_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "terms.txt"
    path.write_text("one\ntwo\nthree\n")
    monkeypatch.setattr(limits, "TERMS", 2)
    with pytest.raises(CorpusError, match=r"terms\.txt: more than 2 terms"):
        load_terms(path)
    table = tmp_path / "table.csv"
    table.write_text(f"subject,name\np,{'a ' * 80}\n")
    with pytest.raises(CorpusError, match="more than 64 words"):
        load_patient_table(table)
    monkeypatch.setattr(limits, "PLACES", 2)
    with pytest.raises(CorpusError, match="too much to find: over 2 words"):
        Gazetteer().add_phrase("one two three", Entry("NAME", "p"))


def test_a_table_of_names_that_begin_alike_is_found_in_time(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    rows = "".join(f"p-{n},{'a ' * n}\n" for n in range(3, 60))
    path.write_text(f"subject,name\n{rows}")
    start = time.process_time()
    assert load_patient_table(path).subject_of("a " * 4_000) is None
    assert time.process_time() - start < 20


def test_a_value_that_thousands_share_is_found_as_shared() -> None:
    known = Gazetteer()
    for number in range(5_000):
        known.add_phrase("Ana", Entry("NAME", f"p-{number}"))
    hits = list(known.find("Ana " * 2_000))
    assert len(hits) == 2_000
    assert len(hits[0].entries) == 2


@pytest.mark.parametrize("work", ["mark", "indirect", "surrogates"])
def test_long_records_cost_linear_time(work: str) -> None:
    """Eight times the text in about eight times the time, where squares would take sixty-four."""

    def seconds(words: int) -> float:
        rng = random.Random(0)
        text = " ".join(f"w{rng.randrange(10**6)}xyz" for _ in range(words))
        starts = [i for i in range(len(text)) if i == 0 or text[i - 1] == " "]
        spans = tuple(Span(s, s + 2, "OWN", "confidential") for s in starts[::2])
        record = Record("r", "s", text, spans)
        begun = time.process_time()
        match work:
            case "mark":
                mark_terms(record, Terms([Term("xyz"), Term("w1")]))
            case "indirect":
                settings = TermSettings(words=1)
                keys = {row.key for row in subject_terms([record], settings)}
                mark_indirect([record], keys, settings)
            case _:
                substitute([record], seed=0)
        return time.process_time() - begun

    seconds(100)
    assert seconds(8_000) < 24 * max(seconds(1_000), 0.05)


SEEDS = [
    ("a.jsonl", b'{"id": "a", "text": "Ana", "spans": [{"start": 0, "end": 3, "label": "X"}]}\n'),
    ("a.jsonl", b'{"text": "Ana \\ud83d\\ude42", "label": [[0, 3, "PER"]], "subject_id": 7}\n' * 2),
    ("a.json", b'[{"id": 1, "data": {"text": "Ana"}, "annotations": [{"result": []}]}]'),
    ("a.csv", b'id,Patient ID,TEXT,spans\r\n1,p,"Ana, Ruiz","[{""start"": 0, ""end"": 3}]"\r\n'),
    ("a.csv", "id,text,spans\n1,José,[]\n".encode("utf-16")),
    ("a.txt", b"Ana Ruiz\n---\nBo Li\n\x0cMRN 4711923\n"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def no_detection(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is detected is the question of another test, and takes seconds to import."""
    monkeypatch.setattr(
        "sanilens.corpus.detection.detector.Detector.__call__", lambda self, text: ()
    )


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_mutation_gives_records_or_one_message(data: st.DataObject, tmp_path: Path) -> None:
    name, content = data.draw(st.sampled_from(SEEDS))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(at, min(len(content), at + 20)))
        put = data.draw(
            st.binary(max_size=8) | st.sampled_from([b'"', b"[", b"{}", b"null", b"\0"])
        )
        content = content[:at] + put * data.draw(st.integers(0, 3)) + content[end:]
    path = tmp_path / name
    path.write_bytes(content)
    try:
        records = load_records(path)
    except CorpusError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return
    assert all(record.text.strip() for record in records)
