"""The clinic's notes: bounds, exact spans, and nothing sensitive outside them."""

import re
from collections import Counter, defaultdict
from itertools import islice
from pathlib import Path
from random import Random
from statistics import mean

import pytest

from research.cases.build import Recipe
from research.cases.clinic import generic_notes, patient_notes
from research.cases.clinic.notes import (
    CLINIC,
    DOCUMENTS,
    Document,
    make_episode,
    write_note,
)
from research.cases.clinic.people import make_person
from research.cases.clinic.sentences import FORMS, POOLS, TOPICS, VOCABULARY
from research.cases.forms import Draft, fill, identifiers, parts
from sanilens.bundled import resolve
from sanilens.corpus.load import save_corpus
from sanilens.corpus.records import KIND_OF_LABEL, Record
from sanilens.corpus.surrogates.dates import MONTHS

NOTES = patient_notes(7)
GENERIC = tuple(generic_notes(7, 400))


def outside(record: Record) -> str:
    """The text without its spans."""
    pieces, end = [], 0
    for span in record.spans:
        pieces.append(record.text[end : span.start])
        end = span.end
    return "\0".join([*pieces, record.text[end:]])


def telling_parts(value: str) -> set[str]:
    """Words of three letters and digit runs of four, lower case."""
    return {part.lower() for part in re.findall(r"[^\W\d_]{3,}|\d{4,}", value)}


def test_there_are_hundreds_of_forms() -> None:
    assert len(FORMS) >= 600
    assert len(TOPICS) >= 16


def test_a_topic_never_holds_an_identifier() -> None:
    assert not [form for topic in TOPICS for form in topic.forms if identifiers(form)]


def test_an_opening_never_holds_an_identifier() -> None:
    openings = [form for name in POOLS if name.endswith("_openings") for form in POOLS[name]]
    assert len(openings) == 50
    assert not [form for form in openings if identifiers(form)]


def test_forms_leave_months_to_dates() -> None:
    assert VOCABULARY.isdisjoint(month.lower() for month in MONTHS)
    assert not [form for form in FORMS if re.search(r"\d{4}", form)]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("{he} slept {4..4} hours.", "She slept 4 hours."),
        ("Temperature {36.5..36.5}.", "Temperature 36.5."),
        ("{an} {OCCUPATION} named {SURNAME}.", "An usher named Ruiz."),
    ],
)
def test_a_form_is_written_with_exact_spans(form: str, text: str) -> None:
    values = {"OCCUPATION": "usher", "SURNAME": "Ruiz"}
    draft = Draft(Random(0), values, {"he": "she", "an": "an"})
    draft.say("Note.")
    draft.say(form, " ")
    assert draft.text == f"Note. {text}"
    written = [(draft.text[span.start : span.end], span.label) for span in draft.spans]
    wanted = [("usher", "OCCUPATION"), ("Ruiz", "NAME")] if "SURNAME" in form else []
    assert written == wanted


def test_a_number_stays_in_its_range_and_reaches_both_ends() -> None:
    drawn = {fill("{0.8..1.1}", Random(seed), {}) for seed in range(200)}
    assert drawn == {"0.8", "0.9", "1.0", "1.1"}


def test_the_parts_of_a_form_spell_its_identifiers() -> None:
    assert identifiers("{LAST_FIRST}, {MRN}, {2..3} {a|b} {drug}") == ("NAME", "MRN")
    assert parts("plain") == ("plain",)


def test_every_note_keeps_its_bounds() -> None:
    for record in (*NOTES, *GENERIC):
        direct = [span for span in record.spans if span.kind == "direct"]
        assert len(record.text) in CLINIC.lengths, record.id
        assert len(direct) in CLINIC.direct, record.id
        assert len(record.spans) - len(direct) in CLINIC.indirect, record.id
        assert all(KIND_OF_LABEL[span.label] == span.kind for span in record.spans)
        assert record.spans[0].start > 40, record.id
    assert 500 < mean(len(record.text) for record in GENERIC) < 600


def test_every_note_reads_as_english() -> None:
    slips = re.compile(
        r"[{}]|  |\b(a|an|the) (a|an|the)\b|\.\.|\ba [aeiou]|\ban [^aeiou]"
        r"|(?<![.\d])1 (minute|hour|day|night|week|month|year)s\b"
    )
    for record in (*NOTES, *GENERIC):
        assert record.text.isascii()
        assert not slips.search(record.text), (record.id, slips.search(record.text))


def test_no_part_of_a_direct_identifier_stands_outside_the_spans() -> None:
    secrets: dict[str, set[str]] = defaultdict(set)
    for record in (*NOTES, *GENERIC):
        for span in record.spans:
            if span.kind == "direct":
                secrets[record.subject] |= telling_parts(record.value(span))
    for record in (*NOTES, *GENERIC):
        assert telling_parts(outside(record)).isdisjoint(secrets[record.subject]), record.id


def test_what_precedes_the_first_identifier_belongs_to_one_note() -> None:
    openings = Counter(record.text[: record.spans[0].start] for record in NOTES)
    assert max(openings.values()) == 1


def test_a_patient_is_the_same_in_all_notes() -> None:
    for label in ("MRN", "DATE_OF_BIRTH", "PHONE", "EMAIL", "ADDRESS", "CITY", "EMPLOYER"):
        values: dict[str, set[str]] = defaultdict(set)
        for record in NOTES:
            values[record.subject] |= {
                r for s in record.spans if s.label == label for r in [record.value(s)]
            }
        assert all(len(found) <= 1 for found in values.values()), label


def test_the_main_identifiers_recur_more_often_than_the_others() -> None:
    notes_with = Counter(label for r in NOTES for label in {span.label for span in r.spans})
    assert notes_with["NAME"] == notes_with["MRN"] == len(NOTES)
    assert notes_with["EMAIL"] < notes_with["ADDRESS"] < notes_with["DATE_OF_BIRTH"]
    assert notes_with["DATE_OF_BIRTH"] < notes_with["PHONE"]


def test_most_direct_identifiers_stand_once_in_a_note() -> None:
    for record in NOTES:
        labels = Counter(span.label for span in record.spans if span.kind == "direct")
        assert labels["NAME"] <= 2
        assert all(count == 1 for label, count in labels.items() if label != "NAME")


def test_at_most_four_in_ten_addresses_say_the_name() -> None:
    people = [make_person(Random(seed)) for seed in range(600)]
    named = [p for p in people if p.first.lower() in p.email and p.last.lower() in p.email]
    assert 0.25 < len(named) / len(people) < 0.40
    for person in people:
        words = telling_parts(person.email) | telling_parts(person.address)
        assert person in named or not words & {person.first.lower(), person.last.lower()}


def test_ids_subjects_and_numbers_of_notes() -> None:
    assert [record.id for record in NOTES[:2]] == ["n-000", "n-001"]
    notes_of = Counter(record.subject for record in NOTES)
    assert set(notes_of) == {f"p-{number:03}" for number in range(64)}
    assert set(notes_of.values()) == {2, 3, 4}
    assert len({record.subject for record in GENERIC}) == len(GENERIC)
    assert GENERIC[3].subject == "g-000003"
    assert patient_notes(1, 2, "c")[0].subject == "c-000"


def test_the_seed_decides_everything() -> None:
    assert patient_notes(7) == NOTES
    assert patient_notes(7, 5) == NOTES[: len(patient_notes(7, 5))]
    assert {r.text for r in patient_notes(8)}.isdisjoint(r.text for r in NOTES)
    assert tuple(islice(generic_notes(7, 10**9), 400)) == GENERIC


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.kind)
def test_every_topic_can_be_written_in_every_document(document: Document) -> None:
    seen: set[str] = set()
    for seed in range(150):
        rng = Random(seed)
        episode = make_episode(rng)
        write_note(episode, document, "n", "s", rng)
        seen.add(episode.topic.service)
    assert seen == {topic.service for topic in TOPICS}


def test_the_bundled_notes_are_these_forms_notes(tmp_path: Path) -> None:
    """Byte for byte: a form that is moved or mended makes another case, to be built anew."""
    recipe = Recipe()
    save_corpus(recipe.own(recipe.seed, recipe.subjects, "p"), tmp_path / "notes.jsonl")
    assert (tmp_path / "notes.jsonl").read_bytes() == Path(resolve("clinic:notes")).read_bytes()
