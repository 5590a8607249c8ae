"""Detection on a whole note, without network, on hostile text, and its invariants."""

import socket
import subprocess
import sys
import time
from typing import NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanilens.corpus.detection.detector import detect_spans
from sanilens.corpus.detection.patient_table import PatientTable

# Every name and number is invented.
NOTE = """DISCHARGE SUMMARY

Patient: Ana Ruiz        DOB: 14 March 1961      MRN: 00-482-915
Address: 14 Maple Street, Apt 3, Springfield, IL 62704
Phone: (617) 555-0134    E-mail: ana.ruiz@mail.example   SSN 078-05-1120
Insurance: MBI 1EG4-TE5-MK73, policy no. HX-4481902, DEA AB1234563
Attending: Dr. Jonas Weber, NPI 1234567893. Card 4111 1111 1111 1111.
Next of kin: Mr Luis Ruiz, born 03/02/1958, call 555-0199.

Admitted on 2024-02-27; discharged March 4, 2024. Follow-up on May 5.
Mrs Ruiz is seen with her mother, a 94-year-old. BP 194/94, pain 7/10, HR 92, temp 98.6.
A pacemaker, serial PJN-771203H, was implanted 12-Jan-2019. She may take 5 mg as needed.
She drives a car, license plate 7ABC123. Portal: https://portal.example.org/u/4711.
Logged in from 192.168.12.7. Plate and screws at L4-L5. Ana will call Weber in 10 days.
Potassium 4.5, sodium 141, WBC 11.2, platelets 150000, EF 55-60%, ICD-10 I25.10.
"""

EXPECTED = [
    ("NAME", "Ana Ruiz"),
    ("DATE_OF_BIRTH", "14 March 1961"),
    ("MRN", "00-482-915"),
    ("ADDRESS", "14 Maple Street, Apt 3"),
    ("CITY", "Springfield"),
    ("ZIP", "62704"),
    ("PHONE", "(617) 555-0134"),
    ("EMAIL", "ana.ruiz@mail.example"),
    ("SSN", "078-05-1120"),
    ("HEALTH_PLAN", "1EG4-TE5-MK73"),
    ("ACCOUNT", "HX-4481902"),
    ("MEDICAL_LICENSE", "AB1234563"),
    ("NAME", "Jonas Weber"),
    ("NPI", "1234567893"),
    ("ACCOUNT", "4111 1111 1111 1111"),
    ("NAME", "Luis Ruiz"),
    ("DATE_OF_BIRTH", "03/02/1958"),
    ("PHONE", "555-0199"),
    ("ADMISSION_DATE", "2024-02-27"),
    ("DATE", "March 4, 2024"),
    ("DATE", "May 5"),
    ("NAME", "Ruiz"),
    ("AGE_OVER_89", "94"),
    ("DEVICE_SERIAL", "PJN-771203H"),
    ("DATE", "12-Jan-2019"),
    ("LICENSE_PLATE", "7ABC123"),
    ("URL", "https://portal.example.org/u/4711"),
    ("IP_ADDRESS", "192.168.12.7"),
    ("NAME", "Ana"),
    ("NAME", "Weber"),
]


def found(text: str, table: PatientTable | None = None) -> list[tuple[str, str]]:
    return [(span.label, text[span.start : span.end]) for span in detect_spans(text, table)]


def test_a_discharge_note() -> None:
    assert found(NOTE) == EXPECTED


def test_a_name_in_a_sentence_is_taken_without_the_words_before_it() -> None:
    for before in ("Concerning ", "Patient ", "Mr ", "this is "):
        assert found(f"{before}Luis Ruiz, MRN 4711923.")[0] == ("NAME", "Luis Ruiz")


def test_no_network_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("the network was tried")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)
    assert ("EMAIL", "ana.ruiz@mail.example") in found(NOTE)


def test_importing_does_not_load_presidio() -> None:
    code = (
        "import sys, sanilens.corpus.load; "
        "sys.exit(bool({'presidio_analyzer', 'spacy', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_longest_wins_then_the_more_specific() -> None:
    # An MRN of ten digits has the form of a phone number; within the e-mail stands the name.
    assert found("MRN 617-555-0134") == [("MRN", "617-555-0134")]
    table = PatientTable([("p", "NAME", "Ana Ruiz"), ("p", "ACCOUNT", "617 555 0134")])
    assert found("ana.ruiz@mail.example", table) == [("EMAIL", "ana.ruiz@mail.example")]
    assert found("617-555-0134", table) == [("ACCOUNT", "617-555-0134")]


def test_the_table_finds_what_no_pattern_does() -> None:
    text = "We met ana ruiz, then RUIZ, Ana again. A lonely ruiz; ruizian is no name."
    table = PatientTable([("p", "NAME", "Ana Ruiz")])
    assert found(text) == [("NAME", "RUIZ, Ana")]
    assert found(text, table) == [("NAME", v) for v in ("ana ruiz", "RUIZ, Ana", "ruiz")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12 Elm Street, Ayden, MA", [("LOCATION", "Ayden")]),
        ("12 Elm Street\nAyden\nMalta 32265", [("LOCATION", "Ayden"), ("LOCATION", "Malta")]),
        ("At 12 Elm Street, Ayden called", [("NAME", "Ayden")]),
        ("12 Elm Street\nAyden Ruiz\nMalta", [("NAME", "Ayden Ruiz"), ("LOCATION", "Malta")]),
        ("Ayden and 12 Elm Street", []),
    ],
)
def test_an_address_takes_its_town_and_its_corner(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert [one for one in found(text) if one[0] != "ADDRESS"] == expected


def test_identifiers_at_the_edges_of_windows() -> None:
    # presidio sees 4,000 characters at a time: nothing may be lost or cut where windows meet.
    for length in range(3_780, 4_010, 3):
        text = "x" * length + " 192.168.12.7 and GB33BUKB20201555555555"
        assert found(text) == [("IP_ADDRESS", "192.168.12.7"), ("ACCOUNT", text[-22:])]


@pytest.mark.parametrize("unit", ["a", "1", "(", "a-", "1 ", "a@", "www.", "Mr A ", "\u0301"])
@pytest.mark.slow
def test_hostile_text_costs_bounded_time(unit: str) -> None:
    detect_spans("warm up")
    start = time.process_time()
    detect_spans((unit * 100_000)[:100_000])
    assert time.process_time() - start < 10  # typically under one second


CASES = {
    "DR. JANE DOE AND MR. R. PATEL DISCUSSED WITH MS. LEE.": ["JANE DOE", "R. PATEL", "LEE"],
    "Dr. van der Berg saw Mrs. Anne-Marie St. Clair.": ["van der Berg", "Anne-Marie St. Clair"],
    "MR# 4471220, Hosp No. H1234567": ["4471220", "H1234567"],
    "Discharged 4 Mar '21, seen again 04MAR2021.": ["4 Mar '21", "04MAR2021"],
    "A 93F with CHF.": ["93"],
    "Dr. Foley placed a Foley catheter for Ana's Crohn disease.": ["Foley", "Ana"],
    "Seen with Ruiz, Ana in clinic.": ["Ruiz, Ana"],
    "Card (623.968.0341) called.": ["623.968.0341"],
}


@pytest.mark.parametrize("text", CASES)
def test_values_are_found_whole(text: str) -> None:
    assert [value for _, value in found(text)] == CASES[text]


@pytest.mark.parametrize(
    "unit",
    ["Mr A ", "MR. ", "de la ", "Smith, ", "Ana Ruiz ", "1 Mar ", "12 Via A ", "+1 ", "A.", "St. "],
)
@pytest.mark.slow
def test_detection_takes_time_linear_in_the_text(unit: str) -> None:
    """Eight times the text costs about eight times as much; squares would take sixty-four."""

    def seconds(length: int) -> float:
        text = (unit * length)[:length]
        start = time.process_time()
        list(detect_spans(text))
        return time.process_time() - start

    seconds(2_000)
    short, long = min(seconds(5_000) for _ in range(3)), seconds(40_000)
    assert long < 24 * short + 0.1


pieces = st.sampled_from(
    ["Ana Ruiz", "Mr ", "MRN ", "4711923", "2024-02-27", "born ", "a@b.example", "(617) 555-0134"]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=20) | pieces, max_size=12).map("".join))
def test_spans_are_sorted_disjoint_and_inside(text: str) -> None:
    table = PatientTable([("p", "NAME", "Ana Ruiz"), ("p", "MRN", "47-119-23")])
    end = 0
    for span in detect_spans(text, table):
        assert end <= span.start < span.end <= len(text)
        end = span.end
