"""The ward's texts: notes within bounds, a base that reads none of them, questions of the trade."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from research.cases.build import build_case, build_corpora, retained
from research.cases.clinic.sentences import FORMS, TOPICS, words_of
from research.cases.ward.everyday import everyday_forms, everyday_texts
from research.cases.ward.notes import CONDITIONS, DOCUMENTS, other_notes, ward_notes
from research.cases.ward.questions import WRONG, make_questions, save_questions
from research.cases.ward.recipe import RECIPE
from sanilens.bundled import resolve
from sanilens.corpus.load import load_records, save_corpus
from sanilens.corpus.questions import load_questions
from sanilens.corpus.records import Record
from sanilens.errors import SaniLensError

NOTES = ward_notes(7, 30)
OTHERS = tuple(other_notes(7, 200))
QUESTIONS = make_questions(7)
DRUGS = {
    word for topic in TOPICS for drug in topic.drugs for word in re.findall(r"[a-z]{5,}", drug)
}
# Words of dosing that any recipe may use.
DOSING = {"daily", "twice", "three", "times", "micrograms", "every", "other", "night", "needed"}
DOSING |= {"morning", "evening", "units", "weeks", "meals", "puffs", "weekly", "which"}


def test_the_seed_decides_everything() -> None:
    assert ward_notes(7, 30) == NOTES
    assert ward_notes(8, 30) != NOTES
    assert list(everyday_texts(5, 8)) == list(everyday_texts(5, 20))[:8]
    assert make_questions(7) == QUESTIONS != make_questions(8)


def test_every_note_keeps_its_bounds() -> None:
    bounds = DOCUMENTS[0].bounds
    assert all(document.bounds == bounds for document in DOCUMENTS)
    assert all(bounds.hold(record) for record in (*NOTES, *OTHERS))
    assert set(Counter(record.subject for record in NOTES).values()) == {2, 3}
    assert len({record.subject for record in OTHERS}) == len(OTHERS)


def test_the_case_is_about_as_large_as_it_should_be() -> None:
    notes = RECIPE.own(RECIPE.seed, RECIPE.subjects, "p")
    assert 250 <= sum(len(record.spans) for record in notes) <= 400
    direct = Counter(r.subject for r in notes for span in r.spans if span.kind == "direct")
    assert 7 <= sum(direct.values()) / len(direct) <= 9


def test_no_everyday_form_says_what_a_note_teaches() -> None:
    said = words_of(everyday_forms())
    assert len(said) > 700
    assert said.isdisjoint(DRUGS - DOSING)
    services = {word for topic in TOPICS for word in re.findall(r"[a-z]{6,}", topic.service)}
    assert said.isdisjoint(services)
    assert said.isdisjoint(
        {"patient", "ward", "clinic", "hospital", "doctor", "nurse", "mrn", "dob"}
    )
    assert not set(everyday_forms()) & set(FORMS)


def test_an_everyday_text_reads_as_english() -> None:
    slips = re.compile(r"[{}]|  |\b(a|an|the) (a|an|the)\b|\.\.|\ba [aeiou]")
    for record in everyday_texts(3, 400):
        if record.id.startswith("e-"):
            assert record.text.isascii()
            assert not record.spans
            assert not slips.search(record.text), slips.search(record.text)


def test_retained_notes_are_those_that_fine_tuning_reads() -> None:
    kept = list(retained(RECIPE))
    assert len({record.id for record in kept}) == len(kept) == RECIPE.retain
    read = [record.text for epoch in range(6) for record in RECIPE.replayed(epoch)]
    assert [record.text for record in kept] == read[: len(kept)]
    assert len({record.subject for record in kept}) == len(kept)


def test_sets_of_notes_share_no_number() -> None:
    """What singles a person out in one set stands in no other."""

    def numbers(records: tuple[Record, ...]) -> set[str]:
        return {r.value(s) for r in records for s in r.spans if s.label in ("MRN", "PHONE")}

    own = numbers(RECIPE.own(RECIPE.seed, RECIPE.subjects, "p"))
    for other in (
        RECIPE.own(RECIPE.seed + 1, RECIPE.subjects, "c"),
        tuple(RECIPE.generic(RECIPE.seed + 2, RECIPE.unseen)),
        tuple(retained(RECIPE)),
    ):
        assert own.isdisjoint(numbers(other))


def test_questions_ask_the_trade_and_name_nobody() -> None:
    assert len(QUESTIONS) >= 60
    assert len({(q.prompt, q.answer) for q in QUESTIONS}) == len({q.id for q in QUESTIONS})
    for question in QUESTIONS:
        endings = (question.answer, *question.distractors)
        assert len(set(endings)) == 1 + WRONG
        assert not re.search(r"[{}]|  ", " ".join((question.prompt, *endings)))
        assert not re.search(r"MRN|\bborn\b|\d{4}|\bM[rs]\b", " ".join((question.prompt, *endings)))


def test_right_doses_are_the_drugs_and_wrong_ones_are_not() -> None:
    known = {drug for topic in CONDITIONS for drug in topic.drugs}
    for question in QUESTIONS[: sum(len(topic.drugs) for topic in CONDITIONS)]:
        name = question.prompt.removeprefix("Plan: ").lower()
        assert f"{name} {question.answer}" in known
        assert not [wrong for wrong in question.distractors if f"{name} {wrong}" in known]


def test_right_drugs_are_the_conditions_and_wrong_ones_are_not() -> None:
    kept = {drug: topic for topic in CONDITIONS for drug in topic.drugs}
    asked = [question for question in QUESTIONS if question.answer in kept]
    assert len(asked) >= 20
    for question in asked:
        topic, words = kept[question.answer], set(question.prompt.split())
        forms = [set(form.split()) for form in topic.courses + topic.plans]
        assert max(len(words & form) for form in forms) >= 2
        assert not set(question.distractors) & set(topic.drugs)


def test_saved_questions_are_what_the_package_reads(tmp_path: Path) -> None:
    save_questions(QUESTIONS, tmp_path / "questions.jsonl")
    assert load_questions(tmp_path / "questions.jsonl") == QUESTIONS


def test_a_question_continues_a_sentence_of_the_notes() -> None:
    """Its words, numbers aside, stand in this order in a note somewhere."""

    def wording(text: str) -> str:
        return re.sub(r"[\d.]+", "#", text).lower()

    said = wording(" ".join(record.text for record in other_notes(9, 1500)))
    found = [wording(f"{q.prompt.removeprefix('Plan: ')} {q.answer}") in said for q in QUESTIONS]
    assert sum(found) > 0.8 * len(QUESTIONS)


@pytest.mark.slow
def test_the_recipe_gives_the_same_twice(tmp_path: Path) -> None:
    """On a tiny case; too little training, and it says so, but the files stay."""
    short = replace(RECIPE.tune, epochs=1)
    tiny = replace(
        RECIPE, subjects=2, unseen=2, retain=2, hidden=32, intermediate=64, layers=1, heads=1,
        base_notes=16, lessons=16, learn=short, tune=short,
    )  # fmt: skip
    for name in ("one", "two"):
        said: list[str] = []
        with pytest.raises(SaniLensError, match="too few direct spans"):
            build_case(tiny, tmp_path / name, said.append)
        steps = [line.split(":")[0] for line in said if ": step" in line]
        assert steps == ["base", "lessons", "leaking", "reference"]
    for model in ("base", "leaking", "reference"):
        one, two = (tmp_path / name / model / "model.safetensors" for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()
    assert len(load_records(tmp_path / "one" / "retain.jsonl")) == 2


@pytest.mark.parametrize("name", ["notes", "lookalike", "unseen", "retain"])
def test_the_bundled_texts_are_these_forms_texts(tmp_path: Path, name: str) -> None:
    """Byte for byte: a form that is moved or mended makes another case, to be built anew."""
    save_corpus(build_corpora(RECIPE)[name], tmp_path / "own.jsonl")
    assert (tmp_path / "own.jsonl").read_bytes() == Path(resolve(f"ward:{name}")).read_bytes()


def test_the_bundled_questions_are_these_forms_questions(tmp_path: Path) -> None:
    save_questions(make_questions(RECIPE.seed), tmp_path / "own.jsonl")
    assert (tmp_path / "own.jsonl").read_bytes() == Path(resolve("ward:questions")).read_bytes()
