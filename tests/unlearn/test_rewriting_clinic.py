"""One person's request on the bundled clinic, by the default settings: erasure, not damage."""

from pathlib import Path

import pytest

from sanilens.audit.extraction import audit_spans
from sanilens.audit.perplexity import perplexity
from sanilens.audit.summary import memory
from sanilens.bundled import resolve
from sanilens.corpus.load import load_records
from sanilens.corpus.records import Record
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.runs.treatments import instead_of
from sanilens.unlearn.plan import Plan, Rewriting, Source
from sanilens.unlearn.sanitise import Change, sanitise

pytestmark = pytest.mark.slow
ASKED = "p-000"


@pytest.fixture(scope="module")
def leaking() -> LanguageModel:
    return load_model(resolve("clinic:leaking"), device="cpu")


@pytest.fixture(scope="module")
def notes() -> tuple[Record, ...]:
    return load_records(Path(resolve("clinic:notes")))


def said(model: LanguageModel, notes: tuple[Record, ...]) -> dict[str, str]:
    """The spans that are said, with their subjects."""
    subject = {r.span_id(s): r.subject for r in notes for s in r.spans}
    return {v.span_id: subject[v.span_id] for v in memory(audit_spans(model, notes)) if v.extracted}


@pytest.fixture(scope="module")
def before(leaking: LanguageModel, notes: tuple[Record, ...]) -> dict[str, str]:
    return said(leaking, notes)


def without(
    leaking: LanguageModel, notes: tuple[Record, ...], *subjects: str
) -> tuple[LanguageModel, dict[str, str]]:
    change = Change(rewrite=Rewriting(), subjects=subjects)
    model = sanitise(leaking, notes, change).model
    return model, said(model, notes)


def test_a_person_is_forgotten_and_the_others_stay(
    leaking: LanguageModel, notes: tuple[Record, ...], before: dict[str, str]
) -> None:
    model, left = without(leaking, notes, ASKED)
    own = [span for span, subject in before.items() if subject == ASKED]
    others = {*before} - {*own}
    assert len(own) > 10
    assert sum(subject == ASKED for subject in left.values()) <= 1
    assert len(others & {*left}) >= 0.95 * len(others)
    texts = [r for r in notes if r.subject != ASKED]
    assert (
        perplexity(model, texts, without_spans=True).value
        < 1.01 * perplexity(leaking, texts, without_spans=True).value
    )


def test_somebody_elses_request_leaves_the_person(
    leaking: LanguageModel, notes: tuple[Record, ...], before: dict[str, str]
) -> None:
    source = Source(source="clinic:leaking", sha256="0" * 64)
    (other,) = instead_of(Plan(model=source, corpus=source, subjects=(ASKED,)), notes)
    assert other != ASKED
    _, left = without(leaking, notes, other)
    own = {span for span, subject in before.items() if subject == ASKED}
    assert len(own & {*left}) >= 0.95 * len(own)
    assert sum(subject == other for subject in left.values()) <= 1
