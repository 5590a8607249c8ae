"""The patient table: what it finds, whose it is, and how it is refused."""

import time
from pathlib import Path

import pytest

from sanilens.corpus.detection.patient_table import PatientTable, load_patient_table
from sanilens.errors import CorpusError

ANA = [
    ("p-1", "NAME", "Ana María Ruiz-López"),
    ("p-1", "MRN", "0048-2915"),
    ("p-1", "PHONE", "617 555 0134"),
    ("p-1", "EMAIL", "ana.ruiz@mail.example"),
    ("p-1", "DATE_OF_BIRTH", "1961-03-14"),
    ("p-1", "ADDRESS", "14 Maple Street, Apt 3"),
]


def found(table: PatientTable, text: str) -> list[tuple[str, str]]:
    return [(h.span.label, text[h.span.start : h.span.end]) for h in table.find(text)]


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("NAME", "Ana María Ruiz-López"),
        ("NAME", "ANA MARIA RUIZ LOPEZ"),
        ("NAME", "Ruiz-López, Ana María"),
        ("NAME", "ana ruiz-lópez"),
        ("NAME", "Ruiz-Lopez, Ana"),
        ("NAME", "Ruiz-López"),
        ("NAME", "ana"),
        ("NAME", "Ana Mari\u0301a Ruiz-Lo\u0301pez"),
        ("MRN", "00482915"),
        ("MRN", "00-48 29.15"),
        ("PHONE", "(617) 555-0134"),
        ("PHONE", "1 617.555.0134"),
        ("EMAIL", "Ana.Ruiz@Mail.example"),
        ("DATE_OF_BIRTH", "14 March 1961"),
        ("DATE_OF_BIRTH", "03/14/1961"),
        ("DATE_OF_BIRTH", "3/14/61"),
        ("DATE_OF_BIRTH", "14.03.1961"),
        ("DATE_OF_BIRTH", "Mar 14, 1961"),
        ("ADDRESS", "14 MAPLE STREET APT 3"),
    ],
)
def test_an_identifier_is_found_however_it_is_written(label: str, value: str) -> None:
    assert found(PatientTable(ANA), f"see {value}; more") == [(label, value)]


@pytest.mark.parametrize(
    "text",
    ["banana", "ana_b", "Ana2", "1004829157", "0048291", "0048\n\n\n\n2915", "March 1961", ""],
)
def test_parts_of_words_and_numbers_are_not_found(text: str) -> None:
    assert found(PatientTable(ANA), text) == []


def test_short_names_are_found_in_full_only() -> None:
    table = PatientTable([("p", "NAME", "Li, Bo"), ("q", "NAME", "Xi")])
    assert found(table, "bo li and Li Bo; Li or Bo alone") == [("NAME", "bo li"), ("NAME", "Li Bo")]
    assert found(table, "Xi, xi") == [("NAME", "Xi")]


def test_a_name_that_is_a_word_needs_its_capital() -> None:
    table = PatientTable([("p", "NAME", "Dr. May Young")])
    assert found(table, "she may be young") == []
    assert found(table, "May was seen; YOUNG too; may young") == [
        ("NAME", "May"),
        ("NAME", "YOUNG"),
        ("NAME", "may young"),
    ]


def test_subjects() -> None:
    table = PatientTable([*ANA, ("p-2", "NAME", "Ana Weber"), ("p-2", "MRN", "5551234")])
    (hit,) = table.find("Ana")
    assert hit.subjects == {"p-1", "p-2"}
    assert table.subject_of("Ana, MRN 5551234") == "p-2"
    assert table.subject_of("Ana") is None
    assert table.subject_of("Weber met Ruiz-López") is None
    assert table.subject_of("nobody") is None


def test_thousands_of_subjects_cost_linear_time() -> None:
    table = PatientTable(
        [(f"p-{i}", label, f"{i:07}") for i in range(5_000) for label in ("MRN", "ACCOUNT")]
    )
    text = "0004711 and words between them " * 3_000
    start = time.perf_counter()
    assert len(table.find(text)) == 3_000
    assert time.perf_counter() - start < 10


def test_a_table_is_loaded_from_csv_and_json_lines(tmp_path: Path) -> None:
    csv = tmp_path / "t.csv"
    csv.write_text('subject,Name,mrn,CITY\np-1,"Ruiz, Ana",0048291,\np-1,,,Springfield\n')
    text = "Ana of springfield, 0048291"
    expected = [("NAME", "Ana"), ("CITY", "springfield"), ("MRN", "0048291")]
    assert found(load_patient_table(csv), text) == expected
    lines = tmp_path / "t.jsonl"
    lines.write_text('{"subject": "p-1", "name": "Ana Ruiz", "city": null}\n')
    assert found(load_patient_table(lines), text) == [("NAME", "Ana")]


SECRET = "Zyzzyva"


@pytest.mark.parametrize(
    ("row", "what", "remedy"),
    [
        (f'{{"name": "{SECRET}"}}', "no usable `subject`", "p-004"),
        (f'{{"subject": 7.5, "name": "{SECRET}"}}', "no usable `subject`", "p-004"),
        (f'{{"subject": "{SECRET * 20}", "name": "a"}}', "over 128", "Shorten"),
        (f'{{"subject": "{SECRET}"}}', "no identifier", "drop it"),
        (f'{{"subject": "p", "{SECRET}": "x"}}', "header is no label", "date_of_birth"),
        (f'{{"subject": "p", "free_text": "{SECRET}"}}', "header is no label", "Remove the column"),
        (f'{{"subject": "p", "Free text": "{SECRET}"}}', "header is no label", "Remove the column"),
        ('{"subject": "p", "mrn": 4711923}', "column mrn: not text", "leading zeros"),
        ('{"subject": "p", "mrn": "123"}', "column mrn: fewer than 4", "leave the cell empty"),
        ('{"subject": "p", "name": "--"}', "column name: neither a letter", "leave it empty"),
        (f'{{"subject": "p", "name": "{SECRET * 40}"}}', "longer than 200", "one identifier"),
        (f'{{"subject": "p", "date_of_birth": "{SECRET}"}}', "not a date", "YYYY-MM-DD"),
        (f'{{"subject": "{SECRET}"', "not valid JSON", "one JSON object"),
    ],
)
def test_a_bad_row_is_refused(row: str, what: str, remedy: str, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"subject": "p", "name": "Ana"}\n' + row + "\n")
    with pytest.raises(CorpusError) as caught:
        load_patient_table(path)
    message = str(caught.value)
    assert message.startswith("t.jsonl, line 2")
    assert what in message
    assert remedy in message
    assert SECRET not in message
