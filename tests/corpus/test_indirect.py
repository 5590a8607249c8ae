"""k-anonymity of subjects and terms: exact on a graph drawn by hand, and on the clinic's notes."""

from itertools import permutations

import pytest

from research.cases.clinic import patient_notes
from sanilens.corpus.indirect import TermSettings, agreement, mark_indirect, subject_terms
from sanilens.corpus.records import Record, Span
from sanilens.corpus.terms import Term, Terms
from sanilens.errors import CorpusError


def note(number: int, subject: str, text: str, *spans: tuple[str, str, str]) -> Record:
    """A record whose spans are given as (value, label, kind)."""
    found = tuple(
        Span(text.index(value), text.index(value) + len(value), label, kind)  # pyright: ignore
        for value, label, kind in spans
    )
    return Record(f"n-{number}", subject, text, found)


# The graph: falconer - a; cough - a, b; asthma - a, b, c; Turin - c (two records).
NOTES = (
    note(1, "a", "Ann Lee, falconer. Cough and asthma.", ("Ann Lee", "NAME", "direct")),
    note(2, "a", "Cough, cough; the Falconer again."),
    note(3, "b", "A cough. Asthma."),
    note(4, "c", "From Turin: asthma.", ("Turin", "CITY", "indirect")),
    note(5, "c", "Back to Turin.", ("Turin", "CITY", "indirect")),
)
WORDS = TermSettings()


def counts(settings: TermSettings) -> dict[str, tuple[int, int, int, bool]]:
    rows = subject_terms(NOTES, settings)
    return {r.key: (r.subjects, r.records, r.occurrences, r.indirect) for r in rows}


def test_subjects_are_counted_not_records() -> None:
    assert counts(WORDS) == {
        "turin": (1, 2, 2, True),
        "falconer": (1, 2, 2, True),
        "cough": (2, 3, 4, False),
        "asthma": (3, 3, 3, False),
    }


def test_order_is_by_subjects_then_frequency_and_does_not_depend_on_the_records_order() -> None:
    order = [row.key for row in subject_terms(NOTES, WORDS)]
    assert order == ["falconer", "turin", "cough", "asthma"]
    for shuffled in permutations(NOTES):
        assert [row.key for row in subject_terms(shuffled, WORDS)] == order


@pytest.mark.parametrize(
    ("k", "indirect"),
    [(1, set()), (2, {"falconer", "turin"}), (3, {"falconer", "turin", "cough"})],
)
def test_fewer_than_k_subjects_make_a_term_indirect(k: int, indirect: set[str]) -> None:
    rows = subject_terms(NOTES, TermSettings(k=k))
    assert {row.key for row in rows if row.indirect} == indirect


def test_a_term_of_too_few_records_is_not_indirect() -> None:
    assert not any(row.indirect for row in subject_terms(NOTES, TermSettings(records=3)))


def test_terms_come_from_labels_gazetteer_and_runs_of_words() -> None:
    assert counts(TermSettings(labels=("CITY", "NAME"), words=0)) == {"turin": (1, 2, 2, True)}
    listed = Terms([Term("asthma"), Term("Falconer. Cough"), Term("Ann")])
    found = counts(TermSettings(gazetteer=listed, words=0))
    assert set(found) == {"asthma", "falconer. cough"}
    one = note(1, "a", "Rare chimney sweep, sweep of the old town hall")
    keys = {row.key for row in subject_terms((one,), TermSettings(words=2))}
    runs = {"rare chimney", "chimney sweep", "old town", "town hall"}
    assert keys == {"rare", "chimney", "sweep", "old", "town", "hall"} | runs


def test_settings_that_find_nothing_are_refused() -> None:
    for k, words, records in ((0, 1, 1), (2, 6, 1), (2, 0, 1), (2, 1, 0)):
        with pytest.raises(CorpusError):
            TermSettings(k=k, words=words, records=records)


def test_chosen_terms_become_spans_and_spans_that_are_there_stay() -> None:
    marked, count = mark_indirect(NOTES, {"falconer", "turin"}, WORDS)
    assert count == 2
    assert [[(r.value(s), s.label, s.kind) for s in r.spans] for r in marked] == [
        [("Ann Lee", "NAME", "direct"), ("falconer", "INDIRECT", "indirect")],
        [("Falconer", "INDIRECT", "indirect")],
        [],
        [("Turin", "CITY", "indirect")],
        [("Turin", "CITY", "indirect")],
    ]
    assert mark_indirect(NOTES, (), WORDS) == (NOTES, 0)


def test_of_overlapping_terms_the_longest_is_marked() -> None:
    one = note(1, "a", "The tall chimney sweep, a sweep.")
    keys = {"sweep", "chimney sweep", "tall chimney"}
    (marked,), count = mark_indirect((one,), keys, TermSettings(words=2))
    assert [marked.value(span) for span in marked.spans] == ["chimney sweep", "sweep"]
    assert count == 2


def test_agreement_counts_overlaps_on_both_sides() -> None:
    found = agreement(NOTES, {"falconer", "turin"}, WORDS)
    assert (found.found, found.right, found.labelled, found.met) == (4, 2, 2, 2)
    assert (found.precision, found.recall) == (0.5, 1.0)
    nothing = agreement(NOTES, (), WORDS)
    assert (nothing.precision, nothing.recall) == (None, 0.0)


def test_the_clinic_notes_labelled_values_of_one_patient_are_exactly_the_indirect_ones() -> None:
    """By definition: labels as terms find the labelled spans whose value one subject has."""
    notes = patient_notes(3, 40)
    labels = ("CITY", "EMPLOYER", "OCCUPATION", "RARE_CONDITION", "ADMISSION_DATE")
    settings = TermSettings(labels=labels, words=0)
    owners: dict[str, set[str]] = {}
    values = [
        (record.subject, record.value(span).casefold())
        for record in notes
        for span in record.spans
        if span.kind == "indirect"
    ]
    for subject, value in values:
        owners.setdefault(value, set()).add(subject)
    keys = {row.key for row in subject_terms(notes, settings) if row.indirect}
    found = agreement(notes, keys, settings)
    assert found.precision == 1.0
    assert found.met == sum(len(owners[value]) == 1 for _, value in values)
