"""Names, places and organisations in prose: what is found, and what must not become a person."""

import pytest

from sanilens.corpus.detection.known_words import known_words
from sanilens.corpus.detection.running import running_spans


def found(text: str) -> list[tuple[str, str]]:
    return sorted((text[start:end], label) for start, end, label in running_spans(text))


PERSONS = [
    ("I spoke to John Smith about it.", ["John Smith"]),
    ("Yesterday Maria Lopez called.", ["Maria Lopez"]),
    ("Maria called twice.", ["Maria"]),
    ("Will Smith may come.", ["Will Smith"]),
    ("We met Giovanni de la Cruz.", ["Giovanni de la Cruz"]),
    ("J. R. Patel wrote it.", ["J. R. Patel"]),
    ("Zarita S. Akhtakhanov came.", ["Zarita S. Akhtakhanov"]),
    ("Martin Luther King Jr. spoke.", ["Martin Luther King Jr."]),
    ("My name is Xanthor Quillip.", ["Xanthor Quillip"]),
    ("Anne-Marie O'Neil left.", ["Anne-Marie O'Neil"]),
    ("Guests: Ana Ruiz, Jan Weber and Eva.", ["Ana Ruiz", "Eva", "Jan Weber"]),
    ("It was Timothy Ward who fell.", ["Timothy Ward"]),
    ("I'm Luc Jacques and I’ve seen Ana.", ["Ana", "Luc Jacques"]),
    ("Ana Ruiz MD met Ana RUIZ.", ["Ana RUIZ", "Ana Ruiz"]),
    ("The results in Ana Ruiz were normal, in Maria's too.", ["Ana Ruiz", "Maria"]),
    ("She was born to Ana Ruiz in May.", ["Ana Ruiz"]),
    ("Ana Ruiz as well; Room 12 Ana Ruiz 54 y/o.", ["Ana Ruiz", "Ana Ruiz"]),
    ("Old John Smith left.", ["John Smith"]),
    ("PATIENT JANE DOE WAS SEEN BY JOHN SMITH", ["JANE DOE", "JOHN SMITH"]),
]
NOBODY = [
    "Parkinson disease", "a Foley catheter", "Marfan syndrome", "Lou Gehrig's disease",
    "Will you come in May?", "Grace and hope", "The Hope of April", "Mark the date in March",
    "Past Medical History", "Guillain-Barré syndrome", "E. Coli grew", "H. Pylori was found",
    "The office is at Hans Nielsen Hauges gate 79.", "sent to: 8311 Luis Camoes 148, Boston",
    "Suite 149, Kiel, Germany", "a taxi to USS Jensen", "Shares of Prokop fell", "Bot: hello",
    "Our church is San Giovanni D'Albi.", "Laane, HA 42138", "Endo International plc",
    "Blondel Bertrand S.A.S. paid", "Simon et Fils paid", "Amundi ETF rose", "Graham Ports",
    "I am in Kiel.", "He is originally from Prince Albert.",
    "Maria Street", "Monday and Tuesday", "Visa was charged", "HISTORY OF PRESENT ILLNESS",
]  # fmt: skip


@pytest.mark.parametrize(("text", "names"), PERSONS)
def test_persons(text: str, names: list[str]) -> None:
    assert [value for value, label in found(text) if label == "NAME"] == names


@pytest.mark.parametrize("text", NOBODY)
def test_words_and_diseases_are_nobody(text: str) -> None:
    assert [value for value, label in found(text) if label == "NAME"] == []


@pytest.mark.parametrize(
    ("text", "value", "label"),
    [
        ("She lives in Paris now.", "Paris", "LOCATION"),
        ("Flights to New York stopped.", "New York", "LOCATION"),
        ("He was born in Germany.", "Germany", "LOCATION"),
        ("I bought it in Rémy.", "Rémy", "LOCATION"),
        ("The Keegan, Johnston and Dickson office", "Keegan, Johnston and Dickson", "ORGANIZATION"),
        ("He grew up in Yarrowville.", "Yarrowville", "LOCATION"),
        ("Seen at Mount Sinai Hospital.", "Mount Sinai Hospital", "ORGANIZATION"),
        ("She works for Xyntax Labs today.", "Xyntax Labs", "ORGANIZATION"),
        ("Smith Ltd paid.", "Smith Ltd", "ORGANIZATION"),
        ("She left the University of Leiden.", "University of Leiden", "ORGANIZATION"),
    ],
)
def test_places_and_organisations(text: str, value: str, label: str) -> None:
    assert (value, label) in found(text)


def test_a_clinic_without_a_name_is_no_organisation() -> None:
    assert found("the Pain Clinic and the University Hospital") == []


def test_lists_can_be_held_out() -> None:
    fewer = known_words(without=frozenset({"pl_PL"}))
    assert fewer.first < known_words().first
    text = "Call Grzegorz."
    assert not list(running_spans(text, fewer)) or "grzegorz" in fewer.first
